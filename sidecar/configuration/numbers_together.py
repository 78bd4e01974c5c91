"""Settings of different sections whose numbers do not go with each other.

Knows which must be longer or smaller than which. Does not know the limits of a single one: settings.py does.
"""

from datetime import timedelta

from sidecar.configuration.policies import policy_of, reach
from sidecar.configuration.policy_settings import PolicySection
from sidecar.configuration.settings import Settings

__all__ = ["number_problems"]

MOST_ON_MARIADB = 15 * 2**20  # octets of a mail: its packets, and what MEDIUMBLOB holds, end at 16 MiB


def number_problems(settings: Settings) -> list[str]:
    """What is wrong with the numbers beside each other; each is good by itself."""
    problems, kept = [], settings.storage.keep_bounces_days
    if settings.storage.url.startswith("mariadb") and settings.sockets.max_mail_bytes > MOST_ON_MARIADB:
        problems.append(
            f"[sockets] max_mail_bytes = {settings.sockets.max_mail_bytes}: MariaDB takes at most "
            f"{MOST_ON_MARIADB}"
        )
    short = f"[storage] keep_bounces_days = {kept:g}: must be longer than"
    if kept <= settings.verp.accept_days:
        problems.append(f"{short} [verp] accept_days = {settings.verp.accept_days:g}")
    for label, own in (
        [("[policy]", PolicySection())]
        + [
            (f"[[wikis]] {wiki.id} policy", wiki.policy)
            for wiki in settings.wikis
            if wiki.policy != PolicySection()
        ]
        + ([("[farm] policy", settings.farm.policy)] if settings.farm else [])
    ):
        try:
            needed = reach(policy_of(settings.policy, own)) / timedelta(days=1)
        except ValueError as error:
            problems.append(f"{label}: {error}")
        else:
            if kept <= needed:
                problems.append(f"{short} the {needed:g} days over which {label} counts")
    return problems

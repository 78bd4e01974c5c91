"""doctor: all that is needed, looked at, and how to mend what is wrong."""

import os
import sys
from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import as_json, configured, one_wiki
from sidecar.cli.mta import SMTP
from sidecar.cli.printing import tell
from sidecar.doctor.patient import Patient
from sidecar.doctor.round import Round
from sidecar.domain.finding import Finding, State, good
from sidecar.mta.asking import Machine
from sidecar.mta.site import ACCOUNT

__all__ = ["doctor"]

#: What systemd gives to the running unit (LoadCredential=, systemd.exec(5)), which root may read.
CREDENTIALS = Path("/run/credentials/bounce-sidecar.service")


@click.command()
@click.option("--wiki", "wikis", multiple=True, metavar="ID", help="Of the wikis, only this one; repeatable.")
@click.option("--login", is_flag=True, help="Try a login again that a wiki is known to have refused.")
@click.option("--user", default=ACCOUNT, show_default=True, help="The daemon's.")
@click.option(
    "--web-user", default="", help="The web server's or PHP's, if another than [sockets] verp_group."
)
@SMTP
@click.option("--json", "json_", is_flag=True, help="As a JSON list.")
@click.pass_obj
def doctor(
    path: Path,
    wikis: tuple[str, ...],
    login: bool,
    user: str,
    web_user: str,
    smtp: tuple[str, int],
    json_: bool,
) -> None:
    """Look at everything that is needed; say what is wrong, and how to mend it.

    Configuration, secrets, clock, database, daemon, sockets, mail server, each wiki, canary: a line each.
    Mend the first that is not OK first: later ones may follow from it. UNKNOWN is what could not be looked
    at, often because you are not root. WARN is well today, and will not stay so.

    Changes nothing, and may be said beside the daemon. Each wiki is logged into once at the most, and a
    password that it is known to have refused is not tried again, as MediaWiki locks an account after five.
    Exit code 0 if all was looked at and nothing is wrong.
    """
    if CREDENTIALS.is_dir() and os.access(CREDENTIALS, os.R_OK | os.X_OK):
        os.environ.setdefault("CREDENTIALS_DIRECTORY", str(CREDENTIALS))
    if wikis:
        config = configured(path)
        wikis = tuple(one_wiki(config, wiki) for wiki in wikis)
    round_ = Round(Patient(path, Machine(), host.now, smtp, user, web_user, wikis, login))
    found = []
    for finding in round_.findings():
        found.append(finding)
        if not json_:
            tell(finding)
    if json_:
        as_json(found)
    else:
        click.echo(_summary(found))
    code = 0 if good(found) else 1
    if round_.unfinished:  # Python would wait for it
        sys.stdout.flush()
        os._exit(code)
    raise SystemExit(code)


def _summary(found: list[Finding]) -> str:
    counts = {state: sum(finding.state is state for finding in found) for state in State}
    said = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    bad = [one for state in (State.WRONG, State.UNKNOWN) for one in found if one.state is state]
    return f"{said}. " + (f"Mend this first: {bad[0].subject}: {bad[0].what}" if bad else "All is well.")

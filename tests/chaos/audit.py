"""The audit at the end of each round, over everything since the house was furnished; of return paths, those
of the round: what one says never changes.

Knows what must hold. Does not know what was struck. The wiki's own log says what was done on it.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sidecar.domain.verp import VerpError
from tests.chaos.house import House
from tests.chaos.load import Issued

__all__ = ["acts", "audit", "owed"]

AHEAD = timedelta(days=30)  # by which a clock may have run ahead when it signed


def owed(house: House) -> int:
    """What is decided and not carried out yet."""
    return house.count("SELECT count(*) FROM action WHERE state IN ('waiting', 'held')")


def acts(house: House) -> int:
    """How many acts the wikis have in their logs, of all people."""
    return sum(number for number, _ in house.wikis.told([(one.wiki, one.user_id) for one in house.people]))


def audit(house: House, handed: Counter[str], issued: list[Issued]) -> Iterator[str]:
    """What is wrong, a line each. *handed*: by return path, how many copies a Postfix may have been given."""
    yield from _history(house, handed)
    yield from _people(house)
    yield from _return_paths(house, issued)


def _history(house: House, handed: Counter[str]) -> Iterator[str]:
    """Each mail once, with one bounce or set aside; each that came by Postfix as often as it has copies."""
    found: Counter[str] = Counter()
    aside = set()
    for path, why in house.rows("SELECT return_path, aside FROM notice"):
        found[str(path)] += 1
        if why:
            aside.add(str(path))
    with_bounce = Counter(
        str(path)
        for (path,) in house.rows(
            "SELECT notice.return_path FROM bounce JOIN notice ON bounce.notice_id = notice.id"
        )
    )
    for mail in house.mails:
        path = mail.return_path
        copies = handed[path] + (path in house.expected or not handed[path])  # one came directly
        if not 1 <= found[path] <= copies:
            yield f"{path}: {found[path]} times in the history, handed to Postfix {handed[path]} times"
        if with_bounce[path] != 1 and path not in aside:
            yield f"{path}: {with_bounce[path]} bounces, and not set aside"
    strangers = found.keys() - {mail.return_path for mail in house.mails}
    if strangers - house.expected:
        yield f"in the history and from nobody: {sorted(strangers - house.expected)[:3]}"


def _people(house: House) -> Iterator[str]:
    """Who was due was un-confirmed once, and nobody else was touched."""
    told = house.wikis.told([(one.wiki, one.user_id) for one in house.people])
    for one, (number, confirmed) in zip(house.people, told, strict=True):
        if (number, confirmed) != (int(one.kind.due), not one.kind.due):
            yield f"{one} ({one.name}): {number} acts, {'confirmed' if confirmed else 'un-confirmed'}"
    for wiki, user_id, state, effect in house.rows("SELECT wiki, user_id, state, effect FROM action"):
        if state == "dead" or (state == "done" and effect not in ("unconfirmed", "already", "changed")):
            yield f"action for {wiki} {user_id}: {state}, {effect}"


def _return_paths(house: House, issued: list[Issued]) -> Iterator[str]:
    """Each names the user whom it was asked for."""
    for one in issued:
        try:
            token = house.verp.recognise(one.return_path, datetime.now(UTC))
        except VerpError as error:
            yield f"{one.return_path}: {error}"
            continue
        if (token.wiki, token.user_id) != (one.wiki, one.user_id):
            yield f"{one.return_path}: of {token.wiki} {token.user_id}, asked for {one.wiki} {one.user_id}"
        elif not house.verp.is_about(token, one.address):
            yield f"{one.return_path}: not of the address that it was asked for"
        elif token.sent > datetime.now(UTC) + AHEAD:
            yield f"{one.return_path}: signed for {token.sent}"

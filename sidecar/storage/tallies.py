"""How many users fail, per ten minutes: for "too many at once" and for the usual rate.

Knows slots. Does not know what is too many.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.brake import Failed
from sidecar.domain.person import Together
from sidecar.storage import persons
from sidecar.storage.ledger import Bounce, Entered
from sidecar.storage.prepared import Prepared
from sidecar.storage.schema import bounce, tally

__all__ = ["ALL", "LOOKED_AT", "Usual", "count", "failed"]

ALL = ""  # stands for every provider
SLOT = timedelta(minutes=10)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
USUAL = 4 * WEEK  # over which the usual rate is taken
LOOKED_AT = USUAL + HOUR + SLOT  # nobody looks at what is older
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WHOSE: sa.BindParameter[str] = sa.bindparam("whose")
_FAILED = (
    sa.select(bounce.c.id)
    .where(bounce.c.wiki == sa.bindparam("wiki"), bounce.c.user_id == sa.bindparam("user_id"), bounce.c.hard)
    .where(bounce.c.received > sa.bindparam("since"), bounce.c.received <= sa.bindparam("until"))
    .where(bounce.c.id != sa.bindparam("but"))
    .limit(1)
)
_MORE = Prepared(
    tally.update()
    .where(tally.c.provider == _WHOSE, tally.c.slot == sa.bindparam("at"))
    .values(users=tally.c.users + 1)
)
_FIRST = sa.select(sa.func.min(tally.c.slot, type_=tally.c.slot.type)).where(tally.c.provider == ALL)
_USERS = Prepared(
    sa.select(sa.func.coalesce(sa.func.sum(tally.c.users), 0)).where(
        tally.c.provider == _WHOSE, tally.c.slot >= sa.bindparam("start"), tally.c.slot < sa.bindparam("end")
    )
)


def count(connection: sa.Connection, entered: Entered, entry: Bounce, person: Together) -> None:
    """Count the user of a hard bounce that was just entered: once an hour, whatever the person's account.

    Whoever books first is counted, though it was received by another node, or a moment later.
    """
    at = entry.received
    alone = entered.is_first and len(person.accounts) == 1
    for one in () if alone else persons.busy_among(connection, person):
        hour = {"since": at - HOUR, "until": at + SLOT, "but": entered.id}
        if connection.execute(_FAILED, vars(one) | hour).first():
            return
    for whose in sorted({entry.provider, ALL}):  # in one order, or two nodes would wait for each other
        place = {"whose": whose, "at": _slot(at)}
        if not _MORE.changed(connection, place):
            connection.execute(tally.insert(), {"provider": whose, "slot": _slot(at), "users": 1})


class Usual:
    """Users per hour over the weeks before; looked up once in a slot, because it takes some thousand rows."""

    def __init__(self) -> None:
        self._slot = _EPOCH
        self._known: dict[tuple[str, frozenset[str]], float | None] = {}

    def of(
        self, connection: sa.Connection, provider: str, now: datetime, without: Collection[str] = ()
    ) -> float | None:
        """Of *provider* (or ALL, *without* some); None if there is no such history."""
        if self._slot != _slot(now):
            self._slot, self._known = _slot(now), {}
        known, key = self._known, (provider, frozenset(without))  # another thread may begin the next slot
        if key not in known:
            known[key] = _usual(connection, provider, now - HOUR, without)
        return known[key]


def _usual(
    connection: sa.Connection, provider: str, until: datetime, without: Collection[str]
) -> float | None:
    first: datetime | None = connection.execute(_FIRST).scalar_one()
    if first is None or until - first < WEEK:
        return None
    since = max(first, _slot(until - USUAL))
    return _users(connection, provider, since, until, without) / ((until - since) / HOUR)


def failed(
    connection: sa.Connection,
    provider: str,
    now: datetime,
    not_before: datetime | None,
    few: int,
    without: Collection[str] = (),
    usual: Usual | None = None,  #: what is known of it already
) -> Failed:
    """The users of *provider* (or ALL, *without* some) in the hour before *now*, and after *not_before*.

    The usual rate is only looked up if more than *few* failed.
    """
    users = _users(connection, provider, max(_slot(now - HOUR), not_before or _EPOCH), now + SLOT, without)
    if users <= few:
        return Failed(users, None)
    return Failed(users, (usual or Usual()).of(connection, provider, now, without))


def _users(
    connection: sa.Connection, provider: str, start: datetime, end: datetime, without: Collection[str]
) -> int:
    """In slots that began at *start* or later and before *end*."""

    def of(whose: str) -> int:
        [(users,)] = _USERS.rows(connection, {"whose": whose, "start": start, "end": end})
        return int(users)

    return of(provider) - sum(of(other) for other in without)


def _slot(time: datetime) -> datetime:
    return time - (time - _EPOCH) % SLOT

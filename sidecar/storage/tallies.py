"""How many users fail, per ten minutes: for "too many at once" and for the usual rate.

Knows slots. Does not know what is too many.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.brake import Failed
from sidecar.domain.person import Account
from sidecar.storage import people
from sidecar.storage.ledger import Bounce
from sidecar.storage.schema import bounce, tally

__all__ = ["ALL", "LOOKED_AT", "count", "failed"]

ALL = ""  # stands for every provider
SLOT = timedelta(minutes=10)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
USUAL = 4 * WEEK  # over which the usual rate is taken
LOOKED_AT = USUAL + HOUR + SLOT  # nobody looks at what is older
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count(connection: sa.Connection, bounce_id: int, entry: Bounce) -> None:
    """Count the user of a hard bounce that was just entered: once an hour, whatever the person's account.

    Whoever books first is counted, though it was received by another node, or a moment later.
    """
    at = entry.received
    for one in people.busy_accounts(connection, Account(entry.wiki, entry.user_id)):
        same = sa.select(bounce.c.id).where(
            bounce.c.wiki == one.wiki,
            bounce.c.user_id == one.user_id,
            bounce.c.hard,
            bounce.c.received > at - HOUR,
            bounce.c.received <= at + SLOT,
            bounce.c.id != bounce_id,
        )
        if connection.execute(same.limit(1)).first():
            return
    for whose in sorted({entry.provider, ALL}):  # in one order, or two nodes would wait for each other
        place = (tally.c.provider == whose) & (tally.c.slot == _slot(at))
        more = tally.update().where(place).values(users=tally.c.users + 1)
        if not connection.execute(more).rowcount:
            connection.execute(tally.insert().values(provider=whose, slot=_slot(at), users=1))


def failed(
    connection: sa.Connection,
    provider: str,
    now: datetime,
    not_before: datetime | None,
    few: int,
    without: Collection[str] = (),
) -> Failed:
    """The users of *provider* (or ALL, *without* some) in the hour before *now*, and after *not_before*.

    The usual rate is only looked up if more than *few* failed: it takes some thousand rows.
    """
    users = _users(connection, provider, max(_slot(now - HOUR), not_before or _EPOCH), now + SLOT, without)
    usual_until = now - HOUR
    if users <= few:
        return Failed(users, None)
    first: datetime | None = connection.execute(
        sa.select(sa.func.min(tally.c.slot, type_=tally.c.slot.type)).where(tally.c.provider == ALL)
    ).scalar_one()
    if first is None or usual_until - first < WEEK:
        return Failed(users, None)
    since = max(first, _slot(usual_until - USUAL))
    usual = _users(connection, provider, since, usual_until, without)
    return Failed(users, usual / ((usual_until - since) / HOUR))


def _users(
    connection: sa.Connection, provider: str, start: datetime, end: datetime, without: Collection[str]
) -> int:
    """In slots that began at *start* or later and before *end*."""
    more = sa.case((tally.c.provider == provider, tally.c.users), else_=-tally.c.users)
    query = sa.select(sa.func.coalesce(sa.func.sum(more), 0)).where(
        tally.c.provider.in_([provider, *without]), tally.c.slot >= start, tally.c.slot < end
    )
    return int(connection.execute(query).scalar_one())


def _slot(time: datetime) -> datetime:
    return time - (time - _EPOCH) % SLOT

"""What was booked under a key, for the day on which the key turns out to have leaked.

Knows that its failures may be forged, and how they are made to count no more. Does not know keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from sidecar.storage.audit import tell
from sidecar.storage.brakes import BY_WORD
from sidecar.storage.schema import action_bounce, bounce
from sidecar.storage.undoing import Undoable, undoable

__all__ = ["Suspects", "by_key", "pardon", "suspects"]

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Suspects:
    """What rests on a key's word."""

    bounces: int
    hard: int  #: of them: those that may count, and are not pardoned
    users: int  #: who have hard ones
    unconfirmed: list[Undoable]  #: un-confirmed by us, such a bounce being among the reasons


def by_key(connection: sa.Connection) -> Mapping[str, int]:
    """How many bounces of the history each key has signed, by its id. Reads all of them."""
    rows = connection.execute(sa.select(bounce.c.key_id, sa.func.count()).group_by(bounce.c.key_id))
    return {row[0]: row[1] for row in rows}


def suspects(connection: sa.Connection, key_id: str, since: datetime | None) -> Suspects:
    """What came *since* then under a key."""
    theirs, counts = _theirs(key_id, since), bounce.c.hard & bounce.c.pardon.is_(None)
    numbers = sa.select(sa.func.count(), sa.func.count(sa.case((counts, 1)))).where(theirs)
    bounces, hard = connection.execute(numbers).one()
    users = sa.select(bounce.c.wiki, bounce.c.user_id).where(theirs, bounce.c.hard).distinct().subquery()
    because = (
        sa.select(action_bounce.c.action_id)
        .join(bounce, bounce.c.id == action_bounce.c.bounce_id)
        .where(theirs)
        .distinct()
    )
    actions = set(connection.execute(because).scalars())
    return Suspects(
        bounces=bounces,
        hard=hard,
        users=int(connection.execute(sa.select(sa.func.count()).select_from(users)).scalar_one()),
        unconfirmed=[one for one in undoable(connection, since or _EVER) if one.id in actions],
    )


def pardon(connection: sa.Connection, key_id: str, since: datetime | None, now: datetime) -> int:
    """The hard ones never count; how many. What waits because of them is asked about before it is done."""
    hard = _theirs(key_id, since) & bounce.c.hard & bounce.c.pardon.is_(None)
    pardoned = connection.execute(bounce.update().where(hard).values(pardon=BY_WORD)).rowcount
    tell(connection, now, "key pardoned", f"{key_id}: {pardoned} bounces pardoned by an operator")
    return pardoned


def _theirs(key_id: str, since: datetime | None) -> sa.ColumnElement[bool]:
    theirs = bounce.c.key_id == key_id
    return theirs & (bounce.c.received >= since) if since else theirs

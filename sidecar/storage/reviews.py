"""Everything that is known of one user, as it was known at a time.

Knows where it is kept. Does not know what it means.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.storage import actions
from sidecar.storage.actions import Entry, Event
from sidecar.storage.ledger import Bounce
from sidecar.storage.schema import action, bounce, brake, notice

__all__ = ["Because", "Came", "Known", "known"]


@dataclass(frozen=True)
class Came:
    """A notice that was no bounce, or that nobody has understood yet."""

    id: int
    received: datetime
    kind: str
    aside: str


@dataclass(frozen=True)
class Because:
    """What led to an action."""

    bounces: tuple[int, ...]  #: ids
    brake: str  #: why it is or was held, "" if it never was
    undoes: int | None


@dataclass(frozen=True)
class Known:
    """The rows, oldest first."""

    bounces: tuple[tuple[int, Bounce], ...]  #: with their ids
    others: tuple[Came, ...]
    actions: tuple[tuple[Entry, Because], ...]
    events: tuple[Event, ...]


def known(connection: sa.Connection, wiki: str, user_id: int, at: datetime) -> Known:
    """What was known of a user at that time. What has been dropped since, by age, is not there any more."""
    events = tuple(event for event in actions.events_of_user(connection, wiki, user_id) if event.at <= at)
    return Known(
        tuple(_bounces(connection, wiki, user_id, at)),
        tuple(_others(connection, wiki, user_id, at)),
        tuple(_actions(connection, wiki, user_id, {event.action_id for event in events})),
        events,
    )


def _bounces(connection: sa.Connection, wiki: str, user_id: int, at: datetime) -> list[tuple[int, Bounce]]:
    columns = [bounce.c[name] for name in Bounce.__dataclass_fields__]
    query = sa.select(bounce.c.id, *columns).where(
        bounce.c.wiki == wiki, bounce.c.user_id == user_id, bounce.c.received <= at
    )
    rows = connection.execute(query.order_by(bounce.c.sent, bounce.c.id))
    return [
        (row.id, Bounce(**{name: row._mapping[name] for name in Bounce.__dataclass_fields__})) for row in rows
    ]


def _others(connection: sa.Connection, wiki: str, user_id: int, at: datetime) -> list[Came]:
    booked = sa.exists().where(bounce.c.notice_id == notice.c.id)
    query = sa.select(notice.c.id, notice.c.received, notice.c.kind, notice.c.aside).where(
        notice.c.wiki == wiki, notice.c.user_id == user_id, notice.c.received <= at, ~booked
    )
    return [Came(*row) for row in connection.execute(query.order_by(notice.c.received, notice.c.id))]


def _actions(
    connection: sa.Connection, wiki: str, user_id: int, told: Collection[int | None]
) -> list[tuple[Entry, Because]]:
    found = []
    for entry in actions.entries(connection, wiki=wiki, user_id=user_id):
        if entry.id not in told:
            continue
        query = sa.select(brake.c.why, action.c.undoes)
        query = query.join(brake, brake.c.id == action.c.brake_id, isouter=True).where(
            action.c.id == entry.id
        )
        held, undoes = connection.execute(query).one()
        because = Because(actions.bounces_of(connection, entry.id), held or "", undoes)
        found.append((entry, because))
    return found

"""The newest and the oldest of everything, for whoever looks in.

Knows which index answers at once: nothing here reads more rows than it returns, however long the history is.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.storage.actions import State
from sidecar.storage.schema import action, bounce

__all__ = ["Acted", "Failed", "last_acted", "last_bounce", "oldest_due"]


@dataclass(frozen=True)
class Failed:
    """A bounce, as far as an overview tells of it."""

    received: datetime
    wiki: str
    user_id: int
    category: str
    hard: bool


@dataclass(frozen=True)
class Acted:
    """An action that the wiki has answered."""

    settled: datetime
    wiki: str
    user_id: int
    kind: str
    effect: str


def last_bounce(connection: sa.Connection) -> Failed | None:
    """The one that came last."""
    columns = [bounce.c[name] for name in Failed.__dataclass_fields__]
    row = connection.execute(sa.select(*columns).order_by(bounce.c.received.desc()).limit(1)).first()
    return Failed(**row._mapping) if row else None


def last_acted(connection: sa.Connection) -> Acted | None:
    """The one that was settled last by an answer of its wiki: (settled, state) are read backwards."""
    columns = [action.c[name] for name in Acted.__dataclass_fields__]
    answered = (action.c.state == State.DONE) & action.c.settled.is_not(None)
    query = sa.select(*columns).where(answered).order_by(action.c.settled.desc()).limit(1)
    row = connection.execute(query).first()
    return Acted(**row._mapping) if row else None


def oldest_due(connection: sa.Connection) -> datetime | None:
    """Since when, or from when on, the next action that waits is due."""
    query = sa.select(sa.func.min(action.c.due, type_=action.c.due.type))
    found: datetime | None = connection.execute(query.where(action.c.state == State.WAITING)).scalar_one()
    return found

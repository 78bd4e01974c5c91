"""The audit: a line for whatever was decided, done, held or let go.

Knows how a line is entered, and nothing of what it is about. How much of its words is kept, the table says.
"""

from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from sidecar.storage.schema import action, event

__all__ = ["tell", "tell_each", "tell_of"]

_TELL = event.insert()


class Whose(Protocol):
    """A user of a wiki."""

    @property
    def wiki(self) -> str: ...
    @property
    def user_id(self) -> int: ...


def tell(connection: sa.Connection, now: datetime, what: str, detail: str) -> None:
    """A line that is about no user."""
    _enter(connection, now, what, detail, wiki="", user_id=0, action_id=None)


def tell_of(
    connection: sa.Connection, action_id: int, whose: Whose, now: datetime, what: str, detail: str
) -> None:
    """A line about an action."""
    _enter(connection, now, what, detail, wiki=whose.wiki, user_id=whose.user_id, action_id=action_id)


def tell_each(
    connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime, what: str, detail: str
) -> None:
    """A line about each action for which *which* holds, before it changes."""
    said = {"at": now, "what": what, "detail": detail}
    literals = [sa.literal(value, event.c[name].type) for name, value in said.items()]
    lines = sa.select(action.c.wiki, action.c.user_id, action.c.id, *literals).where(which)
    connection.execute(event.insert().from_select(["wiki", "user_id", "action_id", *said], lines))


def _enter(connection: sa.Connection, now: datetime, what: str, detail: str, **about: object) -> None:
    connection.execute(_TELL, {"at": now, "what": what, "detail": detail, **about})

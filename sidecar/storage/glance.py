"""The last bounce and the last action, told a little of.

Knows which index answers at once: no more rows are read than are returned, however long the history is.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from sidecar.storage.actions import ANSWERED
from sidecar.storage.schema import action, bounce

__all__ = ["Glance", "Last", "glance"]


@dataclass(frozen=True)
class Last:
    """What came of it, and whose it was."""

    what: str
    wiki: str
    user_id: int


@dataclass(frozen=True)
class Glance:
    """None: there is none."""

    bounce: Last | None
    action: Last | None


def glance(connection: sa.Connection) -> Glance:
    """Of now."""
    how = sa.case((bounce.c.hard, ", hard"), else_=", soft")
    failed = sa.select(bounce.c.category + how, bounce.c.wiki, bounce.c.user_id)
    acted = sa.select(action.c.effect, action.c.wiki, action.c.user_id).where(ANSWERED)
    newest = (failed.order_by(bounce.c.received.desc()), acted.order_by(action.c.settled.desc()))
    rows = [connection.execute(query.limit(1)).first() for query in newest]
    return Glance(*(Last(*row) if row else None for row in rows))

"""The last bounce and the last action, told a little of.

Knows which index answers at once: no more rows are read than are returned, however long the history is.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from sidecar.storage.actions import ANSWERED
from sidecar.storage.schema import action, bounce

__all__ = ["Glance", "glance"]


@dataclass(frozen=True)
class Glance:
    """Whose, and what; "" if there is none."""

    bounce: str
    action: str


def glance(connection: sa.Connection) -> Glance:
    """Of now."""
    failed = sa.select(bounce.c.wiki, bounce.c.user_id, bounce.c.category, bounce.c.hard)
    last = connection.execute(failed.order_by(bounce.c.received.desc()).limit(1)).first()
    acted = sa.select(action.c.wiki, action.c.user_id, action.c.effect).where(ANSWERED)
    done = connection.execute(acted.order_by(action.c.settled.desc()).limit(1)).first()
    return Glance(
        f"{last.category}, {'hard' if last.hard else 'soft'}: user {last.user_id} of {last.wiki}"
        if last
        else "",
        f"{done.effect}: user {done.user_id} of {done.wiki}" if done else "",
    )

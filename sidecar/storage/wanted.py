"""What is asked of a wiki, as it stands in a row of the outbox.

Knows which column holds what. Does not know states or who holds an action.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sidecar.domain.wiki import Action, Mistyped, Restore, Unconfirm, Warn
from sidecar.storage.actions import Kind
from sidecar.storage.schema import action

__all__ = ["KINDS", "action_of", "as_of", "open_for"]

KINDS: dict[type[Action], Kind] = {
    Warn: Kind.WARN,
    Unconfirm: Kind.UNCONFIRM,
    Restore: Kind.RESTORE,
    Mistyped: Kind.MISTYPED,
}


def as_of(wanted: Action) -> datetime:
    """The time that the wiki compares with."""
    match wanted:
        case Restore():
            return wanted.confirmed_at
        case Mistyped():
            return wanted.sent
    return wanted.confirmed_before


def action_of(connection: sa.Connection, row: sa.Row[Any]) -> Action:
    """What a row asks of the wiki."""
    match row.kind:
        case Kind.WARN:
            return Warn(row.wiki, row.user_id, row.confirmed_before, row.reason)
        case Kind.UNCONFIRM:
            return Unconfirm(row.wiki, row.user_id, row.confirmed_before, row.reason)
        case Kind.MISTYPED:
            return Mistyped(row.wiki, row.user_id, row.confirmed_before, row.reason)
        case Kind.RESTORE:
            undone = sa.select(action.c.fingerprint).where(action.c.id == row.undoes)
            fingerprint: str = connection.execute(undone).scalar_one()
            return Restore(row.wiki, row.user_id, row.confirmed_before, fingerprint, row.reason)
    raise ValueError(f"an action of an unknown kind: {row.kind}")


def open_for(wanted: Action) -> str:
    """One decided action at a time, and besides one word about each mail that asked for a confirmation."""
    about = f"{wanted.wiki}:{wanted.user_id}"
    return f"{about}:{wanted.sent.timestamp():.0f}" if isinstance(wanted, Mistyped) else about

"""Whose rows are still needed, whatever their age: somebody of whom anything is owed, or set aside.

What is owed is decided again before it is carried out, and what is set aside may turn out to be a failure.
"""

import sqlalchemy as sa

from sidecar.storage.actions import State
from sidecar.storage.schema import action, notice

__all__ = ["OPEN", "aside_of", "owed_to"]

OPEN = (State.WAITING, State.HELD)


def owed_to(table: sa.Table) -> sa.ColumnElement[bool]:
    """Whether anything is owed for that row's user."""
    other = action.alias()
    return sa.exists().where(
        other.c.wiki == table.c.wiki, other.c.user_id == table.c.user_id, other.c.state.in_(OPEN)
    )


def aside_of(table: sa.Table) -> sa.ColumnElement[bool]:
    """Whether anything of that row's user is set aside."""
    return sa.exists().where(
        notice.c.wiki == table.c.wiki, notice.c.user_id == table.c.user_id, notice.c.aside != ""
    )

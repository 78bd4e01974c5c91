"""Whose rows are still needed, whatever their age: somebody of whom anything is owed, or set aside.

And another account of the same person: their mails are one history. What is owed is decided again before it
is carried out, and what is set aside may turn out to be a failure.
"""

import sqlalchemy as sa

from sidecar.storage.actions import State
from sidecar.storage.schema import action, identity, notice

__all__ = ["OPEN", "aside_of", "of_person", "owed_to"]

OPEN = (State.WAITING, State.HELD)


def of_person(table: sa.Table, other: sa.FromClause, where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether there is a row of *other* with *where*, of that row's user, or of a sibling of theirs."""
    own = (other.c.wiki == table.c.wiki) & (other.c.user_id == table.c.user_id)
    mine, theirs = identity.alias(), identity.alias()
    sibling = sa.and_(
        mine.c.wiki == table.c.wiki,
        mine.c.user_id == table.c.user_id,
        theirs.c.lead_wiki == mine.c.lead_wiki,
        theirs.c.lead_user_id == mine.c.lead_user_id,
        other.c.wiki == theirs.c.wiki,
        other.c.user_id == theirs.c.user_id,
    )
    # Two questions, each with an index: asked as one, it would read every row.
    return sa.exists().where(own, where) | sa.exists().where(sibling, where)


def owed_to(table: sa.Table) -> sa.ColumnElement[bool]:
    """Whether anything is owed for that row's user."""
    other = action.alias()
    return of_person(table, other, other.c.state.in_(OPEN))


def aside_of(table: sa.Table) -> sa.ColumnElement[bool]:
    """Whether anything of that row's user is set aside."""
    return of_person(table, notice, notice.c.aside != "")

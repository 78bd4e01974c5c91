"""Which of our un-confirmations can still be taken back.

Knows what must be known for it, and that one is taken back once. Does not ask the wiki, which compares for
itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.domain.wiki import Effect
from sidecar.storage import brakes, people
from sidecar.storage.actions import Kind, State
from sidecar.storage.schema import action

__all__ = ["Undoable", "beyond_undoing", "is_undone", "undoable"]


@dataclass(frozen=True)
class Undoable:
    """An un-confirmation of ours."""

    id: int
    wiki: str
    user_id: int
    provider: str
    settled: datetime
    confirmed_at: datetime  #: the confirmation that was taken away
    fingerprint: str
    undone: bool  #: taken back already, or about to be


def undoable(
    connection: sa.Connection, since: datetime, *, wiki: str = "", provider: str = "", user_id: int = 0
) -> list[Undoable]:
    """Un-confirmations that a wiki has carried out since then, oldest first.

    Of a *wiki*, also those that were carried out at another one because of failures at this one; of a user
    (who needs a wiki), those of any account of the person.
    """
    tried = _tried()
    columns = [action.c[name] for name in Undoable.__dataclass_fields__ if name != "undone"]
    query = sa.select(*columns, tried.label("undone")).where(
        *_carried_out(connection, since, wiki, provider, user_id),
        action.c.fingerprint != "",  # else somebody else had done it
        action.c.confirmed_at.is_not(None),
    )
    return [Undoable(**row._mapping) for row in connection.execute(query.order_by(action.c.id))]


def beyond_undoing(
    connection: sa.Connection, since: datetime, *, wiki: str = "", provider: str = "", user_id: int = 0
) -> list[int]:
    """Ids of those that went through BounceHandler: nobody knows which confirmation was taken."""
    carried_out = _carried_out(connection, since, wiki, provider, user_id)
    query = sa.select(action.c.id).where(*carried_out, action.c.effect == Effect.SUBMITTED)
    return list(connection.execute(query.order_by(action.c.id)).scalars())


def _carried_out(
    connection: sa.Connection, since: datetime, wiki: str, provider: str, user_id: int
) -> Iterator[sa.ColumnElement[bool]]:
    """Un-confirmations, of these alone where something is named."""
    yield action.c.kind == Kind.UNCONFIRM
    yield action.c.state == State.DONE
    yield action.c.settled >= since
    if provider:
        yield action.c.provider == provider
    if user_id:
        person = people.accounts_of(connection, Account(wiki, user_id))
        yield sa.or_(*((action.c.wiki == one.wiki) & (action.c.user_id == one.user_id) for one in person))
    elif wiki:
        yield (action.c.wiki == wiki) | brakes.because_of(wiki)


def is_undone(connection: sa.Connection, action_id: int) -> bool:
    """Whether it is taken back by now, or about to be."""
    query = sa.select(action.c.id).where(action.c.id == action_id, _tried())
    return connection.execute(query).first() is not None


def _tried() -> sa.ColumnElement[bool]:
    again, given_up = action.alias(), [State.DEAD, State.DISCARDED, State.OVERTAKEN]
    return sa.exists().where(again.c.undoes == action.c.id, again.c.state.not_in(given_up))

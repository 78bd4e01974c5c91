"""Actions as they were decided and carried out: for operators, and for the next decision.

Knows the states of an action and what may be asked about it. Changes nothing: outbox.py does.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.storage.schema import action, action_bounce, event

__all__ = [
    "ANSWERED", "DECIDED", "Done", "Entry", "Event", "Kind", "State", "bounces_of", "done", "entries",
    "events_of_user", "is_in", "oldest_due", "waiting",
]  # fmt: skip


class Kind(StrEnum):
    """What is owed."""

    WARN = "warn"
    UNCONFIRM = "unconfirm"
    RESTORE = "restore"
    MISTYPED = "mistyped"


#: Kinds that a user's history has called for; no more than one of them is owed at a time.
DECIDED = (Kind.WARN, Kind.UNCONFIRM)


class State(StrEnum):
    """Where an action stands; the way is drawn in outbox.py."""

    WAITING = "waiting"
    HELD = "held"
    DONE = "done"
    DEAD = "dead"
    OVERTAKEN = "overtaken"
    SHADOW = "shadow"
    DISCARDED = "discarded"


def is_in(state: State) -> sa.ColumnElement[bool]:
    """The same as ``action.c.state == state``, where another index than the state's finds the rows: there are
    as many in it as years have days, and a database would go through all of them.
    """
    return sa.func.coalesce(action.c.state, "") == state


ANSWERED = is_in(State.DONE) & action.c.settled.is_not(None)


@dataclass(frozen=True)
class Entry:
    """An action as operators see it."""

    id: int
    kind: str
    wiki: str
    user_id: int
    state: str
    reason: str
    created: datetime
    due: datetime
    attempts: int
    error: str
    settled: datetime | None
    effect: str
    confirmed_at: datetime | None


@dataclass(frozen=True)
class Event:
    """A line of the audit."""

    at: datetime
    action_id: int | None
    what: str
    detail: str


class Done(NamedTuple):
    """What was done about an account, for the next decision."""

    forget_until: datetime | None  #: mail sent up to here counts no more: we acted, or the user confirmed
    warned: datetime | None  #: when the user was last told


def done(
    connection: sa.Connection, whose: Account, *, shadow: bool, known_at: datetime | None = None
) -> Done:
    """In *shadow* mode, a warning is one that would have been given. As was known at *known_at*."""
    this = vars(whose) | ({"known_at": known_at} if known_at else {})
    return Done(*connection.execute(_done(shadow, known_at is not None), this).one())


@cache
def _done(shadow: bool, past: bool) -> sa.Select[Any]:
    told = (action.c.state == State.DONE) & (action.c.effect == "warned")
    imagined = (action.c.state == State.SHADOW) if shadow else sa.false()
    when = sa.case((told, action.c.settled), else_=action.c.created)
    warned = (action.c.kind == Kind.WARN) & (told | imagined)
    settled: sa.ColumnElement[bool] = sa.true()
    if past:
        known_at = sa.bindparam("known_at", type_=action.c.created.type)
        settled, warned = action.c.settled <= known_at, warned & (when <= known_at)
    return sa.select(
        *(
            sa.func.max(sa.case((known, value)), type_=action.c.created.type)
            for known, value in ((settled, action.c.forget_until), (warned, when))
        )
    ).where(action.c.wiki == sa.bindparam("wiki"), action.c.user_id == sa.bindparam("user_id"))


def entries(connection: sa.Connection, *states: State, wiki: str = "", user_id: int = 0) -> list[Entry]:
    """Actions in these states (all if none is named), of one user if named, oldest first."""
    query = sa.select(*(action.c[name] for name in Entry.__dataclass_fields__))
    if states:
        query = query.where(action.c.state.in_(states))
    if wiki:
        query = query.where(action.c.wiki == wiki, action.c.user_id == user_id)
    return [Entry(**row._mapping) for row in connection.execute(query.order_by(action.c.id))]


def bounces_of(connection: sa.Connection, action_id: int) -> tuple[int, ...]:
    """Which bounces have led to an action: their ids."""
    query = sa.select(action_bounce.c.bounce_id).where(action_bounce.c.action_id == action_id)
    return tuple(connection.execute(query.order_by(action_bounce.c.bounce_id)).scalars())


def waiting(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count()).where(action.c.state == State.WAITING)
    return int(connection.execute(query).scalar_one())


def oldest_due(connection: sa.Connection, now: datetime) -> datetime | None:
    """Since when the oldest of those has waited that could be carried out by *now*; None if there is none."""
    query = sa.select(sa.func.min(action.c.due, type_=action.c.due.type))
    query = query.where(action.c.state == State.WAITING, action.c.due <= now)
    oldest: datetime | None = connection.execute(query).scalar_one()
    return oldest


def events_of_user(connection: sa.Connection, wiki: str, user_id: int) -> list[Event]:
    """The audit of a user's actions, oldest first."""
    query = sa.select(event.c.at, event.c.action_id, event.c.what, event.c.detail)
    query = query.where(event.c.wiki == wiki, event.c.user_id == user_id).order_by(event.c.id)
    return [Event(*row) for row in connection.execute(query)]

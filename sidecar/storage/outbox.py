"""The outbox: what we owe the wikis, entered in the transaction that decided it.

Knows the states of an action and who holds it. Does not know how a wiki is called or how long to wait.

    waiting -> done        the wiki did it, or had done it, or the user had changed (effect says which)
            -> dead        the wiki will never do it; `outbox retry` makes it wait again
            -> overtaken   asked again before acting, the policy no longer wants it
            -> shadow      decided in shadow mode: never carried out
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from sidecar.domain.policy import Decision
from sidecar.domain.wiki import Outcome, Unconfirm
from sidecar.storage.schema import action, action_bounce, event

__all__ = [
    "Entry", "Event", "Owed", "State", "claim", "close", "enqueue", "entries", "events_of_user",
    "forget_until", "hasten", "is_due", "is_open", "postpone", "retry", "settle", "shadowed", "waiting",
]  # fmt: skip


class State(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"
    OVERTAKEN = "overtaken"
    SHADOW = "shadow"


@dataclass(frozen=True)
class Owed:
    """An action in somebody's hands, until the lease ends."""

    id: int
    action: Unconfirm
    attempts: int  #: this one included
    created: datetime


@dataclass(frozen=True)
class Entry:
    """An action as operators see it."""

    id: int
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
    action_id: int
    what: str
    detail: str


def enqueue(connection: sa.Connection, decision: Decision, now: datetime, *, shadow: bool) -> int:
    """Owe the wiki an action, or only note that we would."""
    wanted = decision.action
    state = State.SHADOW if shadow else State.WAITING
    row = {
        **vars(wanted),
        "state": state,
        "open_for": None if shadow else _open_for(wanted.wiki, wanted.user_id),
        "created": now,
        "due": now,
        "attempts": 0,
        "error": "",
        "effect": "",
        "fingerprint": "",
    }
    action_id: int = connection.execute(action.insert().values(row).returning(action.c.id)).scalar_one()
    links = [{"action_id": action_id, "bounce_id": because.id} for because in decision.because]
    connection.execute(action_bounce.insert(), links)
    _tell(connection, action_id, wanted, now, "decided", f"{state}: {wanted.reason}")
    return action_id


def is_open(connection: sa.Connection, wiki: str, user_id: int) -> bool:
    """Whether something is owed for this user already."""
    query = sa.select(action.c.id).where(action.c.open_for == _open_for(wiki, user_id))
    return connection.execute(query).first() is not None


def shadowed(connection: sa.Connection, bounce_ids: Iterable[int]) -> bool:
    """Whether one of these bounces has led to a shadow decision already."""
    query = (
        sa.select(action.c.id)
        .join(action_bounce, action_bounce.c.action_id == action.c.id)
        .where(action.c.state == State.SHADOW, action_bounce.c.bounce_id.in_(list(bounce_ids)))
    )
    return connection.execute(query.limit(1)).first() is not None


def forget_until(connection: sa.Connection, wiki: str, user_id: int) -> datetime | None:
    """Mail sent up to here counts no more: we acted, or the user confirmed, after it was sent."""
    query = sa.select(sa.func.max(action.c.forget_until, type_=action.c.forget_until.type))
    newest: datetime | None = connection.execute(
        query.where(action.c.wiki == wiki, action.c.user_id == user_id)
    ).scalar_one()
    return newest


def claim(
    connection: sa.Connection, now: datetime, lease_until: datetime, except_wikis: Collection[str]
) -> Owed | None:
    """Take the longest-due action in hand. If we die with it, it falls due again when the lease ends."""
    query = sa.select(action).where(_due(now, except_wikis)).order_by(action.c.due, action.c.id)
    row = connection.execute(query.limit(1)).first()
    if row is None:
        return None
    values = {"leased_until": lease_until, "attempts": row.attempts + 1}
    connection.execute(action.update().where(action.c.id == row.id).values(values))
    owed = Unconfirm(row.wiki, row.user_id, row.confirmed_before, row.reason)
    return Owed(row.id, owed, row.attempts + 1, row.created)


def is_due(connection: sa.Connection, now: datetime, except_wikis: Collection[str]) -> bool:
    """Whether there is anything to claim; takes no lock."""
    query = sa.select(action.c.id).where(_due(now, except_wikis)).limit(1)
    return connection.execute(query).first() is not None


def settle(connection: sa.Connection, owed: Owed, outcome: Outcome, forget: datetime, now: datetime) -> None:
    """The wiki has answered; mail sent up to *forget* counts no more.

    Whoever held the lease: what the wiki did is a fact, and only the first answer knows how to undo it.
    """
    values = {
        "effect": outcome.effect,
        "confirmed_at": outcome.confirmed_at,
        "fingerprint": outcome.fingerprint,
        "forget_until": forget,
        "error": "",
    }
    _close(connection, owed, State.DONE, now, values, str(outcome.effect))


def close(connection: sa.Connection, owed: Owed, state: State, why: str, now: datetime) -> None:
    """Nothing more will be tried: *state* is DEAD, OVERTAKEN or SHADOW. Void if another has the lease."""
    forget = {"forget_until": now} if state is State.DEAD else {}  # else each later bounce would owe it again
    if _in_hand(connection, owed):
        _close(connection, owed, state, now, {"error": why[:500], **forget}, why)


def postpone(connection: sa.Connection, owed: Owed, due: datetime, why: str, now: datetime) -> None:
    """Not now; again at *due*. Void if another has the lease."""
    values = {"due": due, "leased_until": None, "error": why[:500]}
    if _in_hand(connection, owed):
        connection.execute(action.update().where(action.c.id == owed.id).values(values))
        _tell(connection, owed.id, owed.action, now, "postponed", f"until {due:%Y-%m-%d %H:%M:%S}: {why}")


def hasten(connection: sa.Connection, wiki: str, now: datetime) -> None:
    """What was postponed because *wiki* was down falls due now."""
    waits = (action.c.wiki == wiki) & (action.c.state == State.WAITING) & (action.c.due > now)
    connection.execute(action.update().where(waits).values(due=now))


def retry(connection: sa.Connection, action_id: int, now: datetime) -> bool:
    """Make a dead or postponed action due now. False if it is neither, or another one waits for that user."""
    row = connection.execute(sa.select(action).where(action.c.id == action_id)).first()
    if row is None or row.state not in (State.DEAD, State.WAITING):
        return False
    if row.state == State.DEAD and is_open(connection, row.wiki, row.user_id):
        return False
    values: dict[str, object] = {
        "state": State.WAITING,
        "open_for": _open_for(row.wiki, row.user_id),
        "due": now,
        "settled": None,
        "forget_until": None,
    }
    if row.state == State.DEAD:
        values["created"] = now  # else it might be too old to be tried twice
    connection.execute(action.update().where(action.c.id == action_id).values(values))
    again = Unconfirm(row.wiki, row.user_id, row.confirmed_before, row.reason)
    _tell(connection, action_id, again, now, "retried", "by an operator")
    return True


def entries(connection: sa.Connection, *states: State, wiki: str = "", user_id: int = 0) -> list[Entry]:
    """Actions in these states (all if none is named), of one user if named, oldest first."""
    query = sa.select(*(action.c[name] for name in Entry.__dataclass_fields__))
    if states:
        query = query.where(action.c.state.in_(states))
    if wiki:
        query = query.where(action.c.wiki == wiki, action.c.user_id == user_id)
    return [Entry(**row._mapping) for row in connection.execute(query.order_by(action.c.id))]


def waiting(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count()).where(action.c.state == State.WAITING)
    return int(connection.execute(query).scalar_one())


def events_of_user(connection: sa.Connection, wiki: str, user_id: int) -> list[Event]:
    """The audit of a user's actions, oldest first."""
    query = sa.select(event.c.at, event.c.action_id, event.c.what, event.c.detail)
    query = query.where(event.c.wiki == wiki, event.c.user_id == user_id).order_by(event.c.id)
    return [Event(*row) for row in connection.execute(query)]


def _due(now: datetime, except_wikis: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.and_(
        action.c.state == State.WAITING,
        action.c.due <= now,
        action.c.leased_until.is_(None) | (action.c.leased_until <= now),
        action.c.wiki.not_in(list(except_wikis)),
    )


def _in_hand(connection: sa.Connection, owed: Owed) -> bool:
    """Whether nobody has claimed it since: then an error that comes late says nothing any more."""
    mine = (action.c.id == owed.id) & (action.c.state == State.WAITING) & (action.c.attempts == owed.attempts)
    return connection.execute(sa.select(action.c.id).where(mine)).first() is not None


def _close(
    connection: sa.Connection, owed: Owed, state: State, now: datetime, values: Mapping[str, object], why: str
) -> None:
    mine = (action.c.id == owed.id) & (action.c.state == State.WAITING)
    closing = {"state": state, "open_for": None, "leased_until": None, "settled": now, **values}
    if connection.execute(action.update().where(mine).values(closing)).rowcount:
        _tell(connection, owed.id, owed.action, now, str(state), why)


def _tell(
    connection: sa.Connection, action_id: int, about: Unconfirm, now: datetime, what: str, detail: str
) -> None:
    row = {"at": now, "wiki": about.wiki, "user_id": about.user_id, "action_id": action_id}
    connection.execute(event.insert().values(what=what, detail=detail[:500], **row))


def _open_for(wiki: str, user_id: int) -> str:
    return f"{wiki}:{user_id}"

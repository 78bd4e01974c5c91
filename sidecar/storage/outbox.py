"""The outbox: what we owe the wikis, entered in the transaction that decided it.

Knows the states of an action. Does not know who takes one in hand (claims.py), how a wiki is called or how
long to wait.

    waiting -> held        a brake holds it; released, it waits again
            -> done        the wiki did it, or had done it, or the user had changed (effect says which)
            -> dead        the wiki will never do it; `outbox retry` makes it wait again
            -> overtaken   asked again before acting, the policy no longer wants it
            -> shadow      decided in shadow mode: never carried out
       held -> discarded   an operator has said that the failures were not the users' own
            -> done        its call was under way when the brake tripped
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.domain.wiki import Action, Outcome
from sidecar.storage import accounts, brakes, people
from sidecar.storage.actions import DECIDED, State
from sidecar.storage.audit import tell_of
from sidecar.storage.schema import action, action_bounce
from sidecar.storage.wanted import KINDS, action_of, as_of, open_for

__all__ = [
    "Because", "Owed", "close", "decided_at", "enqueue", "hand_over", "hasten", "is_open", "is_open_for",
    "join", "next_due", "postpone", "renew", "retry", "settle", "shadowed",
]  # fmt: skip

_ENQUEUE = action.insert().returning(action.c.id)
_LINK = action_bounce.insert()
_OPEN = sa.select(action.c.id).where(action.c.open_for.in_(sa.bindparam("keys", expanding=True))).limit(1)


@dataclass(frozen=True)
class Owed:
    """An action in somebody's hands, until the lease ends."""

    id: int
    action: Action
    attempts: int  #: this one included
    created: datetime
    bounces: tuple[int, ...] = ()  #: ids of those that led to it, where they were looked up


@dataclass(frozen=True)
class Because:
    """What led to an action, for the audit."""

    bounces: Sequence[int] = ()  #: ids
    provider: str = ""
    policy: str = ""  #: thresholds in force
    undoes: int | None = None  #: the action that it takes back


def enqueue(
    connection: sa.Connection,
    wanted: Action,
    because: Because,
    now: datetime,
    *,
    due: datetime | None = None,
    held_by: int | None = None,
    shadow: bool = False,
) -> int:
    """Owe the wiki an action, held by a brake if there is one, or only note that we would."""
    accounts.lock(connection, wanted.wiki, wanted.user_id)
    state = State.SHADOW if shadow else State.HELD if held_by else State.WAITING
    row = {
        "kind": KINDS[type(wanted)],
        "wiki": wanted.wiki,
        "user_id": wanted.user_id,
        "confirmed_before": as_of(wanted),
        "reason": wanted.reason,
        "state": state,
        "open_for": None if shadow else open_for(wanted),
        "created": now,
        "due": due or now,
        "attempts": 0,
        "error": "",
        "effect": "",
        "fingerprint": "",
        "provider": because.provider,
        "policy": because.policy,
        "undoes": because.undoes,
        "brake_id": held_by,
    }
    action_id: int = connection.execute(_ENQUEUE, row).scalar_one()
    _link(connection, action_id, because)
    said = f"{row['kind']}, {state}: {wanted.reason}{_by(because)}"
    tell_of(connection, action_id, wanted, now, "decided", said)
    return action_id


def is_open(connection: sa.Connection, wanted: Action) -> bool:
    """Whether something is owed for this user already."""
    return connection.execute(_OPEN, {"keys": [open_for(wanted)]}).first() is not None


def is_open_for(connection: sa.Connection, person: Iterable[Account]) -> bool:
    """Whether anything that a history has called for is owed at any of these accounts."""
    return connection.execute(_OPEN, {"keys": [_key(one) for one in person]}).first() is not None


def decided_at(several: Iterable[Account]) -> sa.ColumnElement[bool]:
    """Whether a row of ``action`` is what a history has called for at any of these, and still owed."""
    return action.c.open_for.in_([_key(one) for one in several]) & action.c.kind.in_(DECIDED)


def hand_over(connection: sa.Connection, several: Iterable[Account], now: datetime) -> None:
    """What is owed at any of these accounts is decided elsewhere from now on."""
    for row in connection.execute(sa.select(action).where(decided_at(several))).all():
        owed = Owed(row.id, action_of(connection, row), row.attempts, row.created)
        why = "another account of the same person leads, and it is decided there"
        _close(connection, owed, State.OVERTAKEN, now, {"error": why}, why)


def shadowed(connection: sa.Connection, wanted: Action, bounce_ids: Iterable[int]) -> int | None:
    """The same decision in shadow mode, to which one of these bounces has led already; None if none has.

    At whichever account of the person: it may have been decided before it was known whose they are.
    """
    query = (
        sa.select(sa.func.max(action.c.id))
        .join(action_bounce, action_bounce.c.action_id == action.c.id)
        .where(action.c.state == State.SHADOW, action.c.kind == KINDS[type(wanted)])
        .where(action_bounce.c.bounce_id.in_(list(bounce_ids)))
    )
    newest: int | None = connection.execute(query).scalar_one()
    return newest


def join(connection: sa.Connection, action_id: int, bounce_ids: Collection[int]) -> None:
    """These bounces, too, have led to this action: a streak is one, however long it becomes."""
    there = sa.select(action_bounce.c.bounce_id).where(action_bounce.c.action_id == action_id)
    known = set(connection.execute(there.where(action_bounce.c.bounce_id.in_(bounce_ids))).scalars())
    _link(connection, action_id, Because([one for one in bounce_ids if one not in known]))


def renew(connection: sa.Connection, owed: Owed, wanted: Action, because: Because, now: datetime) -> bool:
    """What is owed is decided anew before it is carried out: for other reasons, as of another time.

    False if it is at another provider by now, whose brake holds it.
    """
    known = connection.execute(sa.select(action.c.provider).where(action.c.id == owed.id)).scalar_one()
    values = {"confirmed_before": as_of(wanted), "reason": wanted.reason, "policy": because.policy}
    values["provider"] = because.provider  # whose brake holds it is asked by this
    connection.execute(action.update().where(action.c.id == owed.id).values(values))
    connection.execute(action_bounce.delete().where(action_bounce.c.action_id == owed.id))
    _link(connection, owed.id, because)
    if wanted.reason != owed.action.reason:
        tell_of(connection, owed.id, wanted, now, "renewed", wanted.reason)
    held_by = None
    if because.provider != known:
        held_by = brakes.holding(connection, because.provider, *brakes.wikis_of(connection, owed.id))
    if held_by is None:
        return True
    held = {"state": State.HELD, "brake_id": held_by, "leased_until": None}
    connection.execute(action.update().where(action.c.id == owed.id).values(held))
    tell_of(connection, owed.id, wanted, now, "held", f"by brake {held_by}: now at {because.provider}")
    return False


def next_due(connection: sa.Connection, now: datetime, central: Collection[str] = ()) -> datetime | None:
    """When something falls due; a time that is past if something is due, None if nothing waits.

    Without what is due and waits for a *central* wiki to say whose account it is.
    """
    waits = action.c.state == State.WAITING
    if central:
        waits &= (action.c.due > now) | ~people.unknown(central, now)
    query = sa.select(sa.func.min(action.c.due, type_=action.c.due.type)).where(waits)
    soonest: datetime | None = connection.execute(query).scalar_one()
    return soonest


def settle(
    connection: sa.Connection, owed: Owed, outcome: Outcome, forget: datetime | None, now: datetime
) -> None:
    """The wiki has answered; mail sent up to *forget* counts no more.

    Whoever held the lease, and whatever became of the action meanwhile: what the wiki did is a fact, and only
    the first answer knows how to undo it.
    """
    accounts.lock(connection, owed.action.wiki, owed.action.user_id)  # who books meanwhile sees all of it
    held_in_time = action.c.state != State.HELD  # else the call was under way when the brake tripped
    values = {
        "effect": outcome.effect,
        "confirmed_at": outcome.confirmed_at,
        "fingerprint": outcome.fingerprint,
        "forget_until": forget,
        "error": "",
        "brake_id": sa.case((held_in_time, action.c.brake_id)),
    }
    left_alone = f": left alone, as a member of {outcome.group}" if outcome.group else ""
    _close(connection, owed, State.DONE, now, values, f"{outcome.effect}{left_alone}")


def close(connection: sa.Connection, owed: Owed, state: State, why: str, now: datetime) -> None:
    """Nothing more will be tried: *state* is DEAD, OVERTAKEN or SHADOW. Void if another has the lease."""
    accounts.lock(connection, owed.action.wiki, owed.action.user_id)
    dead = state is State.DEAD and KINDS[type(owed.action)] in DECIDED
    forget = {"forget_until": now} if dead else {}  # else each later bounce would owe it again
    if _in_hand(connection, owed):
        _close(connection, owed, state, now, {"error": why, **forget}, why)


def postpone(connection: sa.Connection, owed: Owed, due: datetime, why: str, now: datetime) -> None:
    """Not now; again at *due*. Void if another has the lease."""
    values = {"due": due, "leased_until": None, "error": why}
    if _in_hand(connection, owed):
        connection.execute(action.update().where(action.c.id == owed.id).values(values))
        tell_of(connection, owed.id, owed.action, now, "postponed", f"until {due:%Y-%m-%d %H:%M:%S}: {why}")


def hasten(connection: sa.Connection, wiki: str, now: datetime) -> None:
    """What was postponed because *wiki* was down falls due now; what was never tried waits for its brakes."""
    waits = (action.c.wiki == wiki) & (action.c.state == State.WAITING) & (action.c.due > now)
    waits &= action.c.attempts > 0
    connection.execute(action.update().where(waits).values(due=now))


def retry(connection: sa.Connection, action_id: int, now: datetime) -> bool:
    """Make a dead or postponed action due now, or held if a brake holds its users by now.

    False if it is neither, or another one waits for that user.
    """
    this = sa.select(action).where(action.c.id == action_id)
    if (whose := connection.execute(this).first()) is None:
        return False
    accounts.lock(connection, whose.wiki, whose.user_id)
    row = connection.execute(this.with_for_update()).one()
    if row.state not in (State.DEAD, State.WAITING):
        return False
    again = action_of(connection, row)
    if row.state == State.DEAD and is_open(connection, again):
        return False
    values: dict[str, object] = {
        "state": State.WAITING,
        "open_for": open_for(again),
        "due": now,
        "settled": None,
        "forget_until": None,
    }
    if row.state == State.DEAD:
        values["created"] = now  # else it might be too old to be tried twice
        held_by = (
            brakes.holding(connection, row.provider, *brakes.wikis_of(connection, row.id))
            if row.kind in brakes.HELD_KINDS
            else None
        )
        values |= {"state": State.HELD, "brake_id": held_by} if held_by else {}
    connection.execute(action.update().where(action.c.id == action_id).values(values))
    tell_of(connection, action_id, again, now, "retried", "by an operator")
    return True


def _key(account: Account) -> str:
    """As in ``open_for`` of what a history has called for."""
    return f"{account.wiki}:{account.user_id}"


def _link(connection: sa.Connection, action_id: int, because: Because) -> None:
    links = [{"action_id": action_id, "bounce_id": bounce_id} for bounce_id in because.bounces]
    if links:
        connection.execute(_LINK, links)


def _in_hand(connection: sa.Connection, owed: Owed) -> bool:
    """Whether nobody has claimed it since: then an error that comes late says nothing any more."""
    mine = (action.c.id == owed.id) & (action.c.state == State.WAITING) & (action.c.attempts == owed.attempts)
    return connection.execute(sa.select(action.c.id).where(mine).with_for_update()).first() is not None


def _close(
    connection: sa.Connection, owed: Owed, state: State, now: datetime, values: Mapping[str, object], why: str
) -> None:
    mine = (action.c.id == owed.id) & (action.c.state != State.DONE)
    closing = {"state": state, "open_for": None, "leased_until": None, "settled": now, **values}
    if connection.execute(action.update().where(mine).values(closing)).rowcount:
        tell_of(connection, owed.id, owed.action, now, str(state), why)


def _by(because: Because) -> str:
    """The thresholds, for the audit."""
    return f"; in force: {because.policy}" if because.policy else ""

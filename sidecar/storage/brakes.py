"""Brakes: which are tripped, what they hold, and how they are let go.

Knows a brake's users: those of a provider, of a wiki, of both, or all. Does not know when one trips.

    tripped -> released   what it holds waits again, and is asked about again before it is carried out
            -> discarded  what it holds is given up, and the failures of the incident never count
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from sidecar.domain.brake import Acted
from sidecar.storage import accounts
from sidecar.storage.actions import DECIDED, Kind, State
from sidecar.storage.audit import tell, tell_each
from sidecar.storage.prepared import Prepared
from sidecar.storage.schema import action, action_bounce, bounce, brake

__all__ = [
    "BY_WORD", "HELD_KINDS", "Brake", "BrakeState", "acted", "because_of", "brakes", "discard", "holding",
    "last_settled", "lately", "missed_by", "release", "trip", "whose",
    "wikis_of",
]  # fmt: skip

#: An operator's undoing goes through every brake.
HELD_KINDS = (*DECIDED, Kind.MISTYPED)
UNSEEN = timedelta(minutes=1)  # in which who trips a brake may not see what is decided on another node


#: bounce.pardon of what belongs to no brake's incident: an operator said so.
BY_WORD = 0


class BrakeState(StrEnum):
    TRIPPED = "tripped"
    RELEASED = "released"
    DISCARDED = "discarded"


#: Those that hold actions for some users.
_TRIPPED = sa.select(brake.c.id).where(
    brake.c.state == BrakeState.TRIPPED,
    brake.c.provider.in_(sa.bindparam("providers", expanding=True)),
    brake.c.wiki.in_(sa.bindparam("wikis", expanding=True)),
)
_HOLDING = _TRIPPED.order_by(brake.c.id).with_for_update(read=True)
_MISSED = _TRIPPED.where(brake.c.tripped <= sa.bindparam("until")).order_by(brake.c.id)
_SETTLED = sa.select(sa.func.max(brake.c.settled, type_=brake.c.settled.type)).where(
    brake.c.provider == sa.bindparam("whose"), brake.c.wiki == "", brake.c.settled <= sa.bindparam("until")
)
_ACTED = sa.select(
    sa.func.count(sa.case((action.c.created > sa.bindparam("hour"), 1))), sa.func.count()
).where(
    action.c.kind.in_(DECIDED),
    action.c.state != State.SHADOW,
    # Not "IS NULL": SQLite would look at every action of the history, as nearly none was ever held.
    sa.func.coalesce(action.c.brake_id, 0) == 0,
    action.c.created <= sa.bindparam("until"),
    action.c.created > sa.bindparam("day"),
)
_LATELY = Prepared(
    sa.select(brake.c.provider, brake.c.settled).where(
        brake.c.wiki == "",
        (brake.c.state == BrakeState.TRIPPED)
        | ((brake.c.settled > sa.bindparam("since")) & (brake.c.settled <= sa.bindparam("until"))),
    )
)


@dataclass(frozen=True)
class Brake:
    """One brake, and how many actions it holds or held."""

    id: int
    provider: str  #: "" for every one
    wiki: str  #: "" for every one
    since: datetime  #: failures from then on are part of the incident
    tripped: datetime
    why: str
    state: str
    settled: datetime | None
    actions: int


def brakes(connection: sa.Connection, *states: BrakeState, brake_id: int = 0) -> list[Brake]:
    """Those in *states* (all if none is named), or the one of that id, oldest first."""
    held = sa.select(sa.func.count()).where(action.c.brake_id == brake.c.id).scalar_subquery()
    columns = [brake.c[name] for name in Brake.__dataclass_fields__ if name != "actions"]
    query = sa.select(*columns, held.label("actions")).order_by(brake.c.id)
    if states:
        query = query.where(brake.c.state.in_(states))
    if brake_id:
        query = query.where(brake.c.id == brake_id)
    return [Brake(**row._mapping) for row in connection.execute(query)]


def holding(connection: sa.Connection, provider: str, *wikis: str) -> int | None:
    """The brake that holds actions for users of any of these wikis, the oldest if there are several.

    It is not let go until the transaction ends: whoever lets it go sees what was put under it.
    """
    whose = {"providers": ["", provider], "wikis": ["", *wikis]}
    found = connection.execute(_HOLDING, whose).scalars().first()
    return int(found) if found else None


def missed_by(
    connection: sa.Connection, provider: str, wikis: Collection[str], created: datetime
) -> Brake | None:
    """The brake that would hold an action, had it seen it: it tripped while that was being decided."""
    whose = {"providers": ["", provider], "wikis": ["", *wikis], "until": created + UNSEEN}
    found = connection.execute(_MISSED, whose).scalars().first()
    return brakes(connection, brake_id=found)[0] if found else None


def wikis_of(connection: sa.Connection, action_id: int) -> set[str]:
    """Whose users an action is about: of the wiki that is asked, and of those where mail failed."""
    own = sa.select(action.c.wiki).where(action.c.id == action_id)
    because = sa.select(bounce.c.wiki).join(action_bounce, action_bounce.c.bounce_id == bounce.c.id)
    failed = because.where(action_bounce.c.action_id == action_id)
    return set(connection.execute(own.union(failed)).scalars())


def lately(connection: sa.Connection, since: datetime, now: datetime) -> list[tuple[str, datetime | None]]:
    """The brakes of all wikis' users that hold, or were let go after *since*: whose, and when.

    Nothing is let go later than *now*: that was a clock that ran ahead, and no brake would trip until then.
    """
    rows = _LATELY.rows(connection, {"since": since, "until": now})
    return [(provider, settled) for provider, settled in rows]


def last_settled(connection: sa.Connection, provider: str, now: datetime) -> datetime | None:
    """When the last brake of just these users, in all wikis, was let go: what failed before was looked at.

    Not later than *now*, as above.
    """
    newest: datetime | None = connection.execute(_SETTLED, {"whose": provider, "until": now}).scalar_one()
    return newest


def trip(
    connection: sa.Connection,
    provider: str,
    wiki: str,
    why: str,
    now: datetime,
    *,
    since: datetime,
    hold_from: datetime | None,
) -> int | None:
    """Hold what is waiting, decided at *hold_from* or later (None: whenever), and what will be decided.

    The brake's id; None if one holds just these users already.
    """
    accounts.lock_brakes(connection)
    holds = f"{provider}:{wiki}"
    if connection.execute(sa.select(brake.c.id).where(brake.c.holds == holds)).first():
        return None
    row = {
        "provider": provider,
        "wiki": wiki,
        "since": since,
        "tripped": now,
        "why": why,
        "state": BrakeState.TRIPPED,
        "holds": holds,
    }
    brake_id: int = connection.execute(brake.insert().values(row).returning(brake.c.id)).scalar_one()
    [new] = brakes(connection, brake_id=brake_id)
    held = _hold(connection, new, now, hold_from)
    tell(connection, now, "brake tripped", f"{brake_id}, {whose(provider, wiki)}: {why}; holds {held}")
    return brake_id


def release(connection: sa.Connection, brake_id: int, now: datetime, by: str = "an operator") -> int | None:
    """Let go: what it holds waits again, unless another brake holds it. How many; None if it held nothing."""
    accounts.lock_brakes(connection)
    if not _settle(connection, brake_id, BrakeState.RELEASED, now):
        return None
    held = (action.c.brake_id == brake_id) & (action.c.state == State.HELD)
    tell_each(connection, held, now, "released", f"by {by}: brake {brake_id}")
    freed = connection.execute(action.update().where(held).values(state=State.WAITING, due=now)).rowcount
    for other in brakes(connection, BrakeState.TRIPPED):
        freed -= _hold(connection, other, now, None, was_held_by=brake_id)
    tell(connection, now, "brake released", f"{brake_id}: {freed} wait again; by {by}")
    return freed


def discard(connection: sa.Connection, brake_id: int, now: datetime, by: str = "an operator") -> int | None:
    """Give up what it holds; the failures since the incident began never count. None if it is not tripped."""
    accounts.lock_brakes(connection)
    found = brakes(connection, brake_id=brake_id)
    if not _settle(connection, brake_id, BrakeState.DISCARDED, now):
        return None
    held = (action.c.brake_id == brake_id) & (action.c.state == State.HELD)
    gone = {"state": State.DISCARDED, "open_for": None, "settled": now, "error": f"discarded by {by}"}
    tell_each(connection, held, now, "discarded", f"by {by}: brake {brake_id}")
    given_up = connection.execute(action.update().where(held).values(gone)).rowcount
    incident = bounce.c.hard & (bounce.c.received >= found[0].since) & bounce.c.pardon.is_(None)
    if found[0].provider:
        incident &= bounce.c.provider == found[0].provider
    if found[0].wiki:
        incident &= bounce.c.wiki == found[0].wiki
    pardoned = connection.execute(bounce.update().where(incident).values(pardon=brake_id)).rowcount
    said = f"{brake_id}: {given_up} given up, {pardoned} bounces pardoned; by {by}"
    tell(connection, now, "brake discarded", said)
    return given_up


def acted(connection: sa.Connection, now: datetime, hour: datetime, day: datetime) -> Acted:
    """Actions that a history has called for since *hour* and since *day*, and that no brake held: what one
    has held, somebody has looked at or will."""
    return Acted(*connection.execute(_ACTED, {"until": now, "hour": hour, "day": day}).one())


def _settle(connection: sa.Connection, brake_id: int, state: BrakeState, now: datetime) -> bool:
    mine = (brake.c.id == brake_id) & (brake.c.state == BrakeState.TRIPPED)
    values = {"state": state, "settled": now, "holds": None}
    return bool(connection.execute(brake.update().where(mine).values(values)).rowcount)


def _hold(
    connection: sa.Connection,
    by: Brake,
    now: datetime,
    hold_from: datetime | None,
    was_held_by: int | None = None,
) -> int:
    """What waits for these users. If a call is under way its answer stands, but there will be no other."""
    mine = (action.c.state == State.WAITING) & action.c.kind.in_(HELD_KINDS)
    if by.provider:
        mine &= action.c.provider == by.provider
    if by.wiki:
        mine &= (action.c.wiki == by.wiki) | because_of(by.wiki)
    if hold_from:
        mine &= action.c.created >= hold_from
    if was_held_by:
        mine &= action.c.brake_id == was_held_by
    tell_each(connection, mine, now, "held", f"by brake {by.id}: {by.why}")
    return connection.execute(action.update().where(mine).values(state=State.HELD, brake_id=by.id)).rowcount


def because_of(wiki: str) -> sa.ColumnElement[bool]:
    """Whether an action was decided at another wiki because of failures at this one, of the same person."""
    because = action_bounce.join(bounce, bounce.c.id == action_bounce.c.bounce_id)
    query = sa.select(sa.literal(1)).select_from(because)
    return query.where(action_bounce.c.action_id == action.c.id, bounce.c.wiki == wiki).exists()


def whose(provider: str, wiki: str) -> str:
    """The users of a brake, in words."""
    return " at ".join(filter(None, (wiki and f"users of {wiki}", provider))) or "everybody"

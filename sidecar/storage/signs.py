"""The signs of life that the history shows, each found by an index, however long the history is.

Knows where each of them stands. Does not know what is too old.
"""

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.vitals import UNDER_WAY, Braked, CanaryRound, Outbox, Vitals
from sidecar.storage import aside, brakes, nodes, rates
from sidecar.storage.actions import ANSWERED, State
from sidecar.storage.brakes import BrakeState
from sidecar.storage.schema import action, bounce, canary, notice

__all__ = ["vitals"]

DAY = timedelta(days=1)
ROUNDS = 20  # canaries that are looked at
REMEMBERED = timedelta(days=30)  # how long it is told of what was refused for good


def vitals(connection: sa.Connection, now: datetime, silence: timedelta = DAY) -> Vitals:
    """What the database knows of itself, with what was signed in the time of *silence*.

    Of wikis and of this host, others know.
    """
    seen, aside_since = nodes.seen(connection), _oldest_aside(connection)
    return Vitals(
        at=now,
        nodes=seen,
        signed=max((node.signed for node in seen if node.signed), default=None),
        signed_lately=rates.signed_since(connection, (now - silence).date()),
        signed_since=_after(rates.first_signed(connection)),
        noticed=_last(connection, notice.c.received, notice.c.id),
        bounced=_last(connection, bounce.c.received, bounce.c.received),
        acted=_last(connection, action.c.settled, action.c.settled, ANSWERED),
        outbox=_outbox(connection, now),
        brakes=tuple(
            Braked(one.id, one.provider, one.wiki, one.tripped, one.why, one.actions)
            for one in brakes.brakes(connection, BrakeState.TRIPPED)
        ),
        aside=aside.waiting(connection),
        aside_since=aside_since,
        canaries=_canaries(connection),
    )


def _after(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) if day else None


def _last(
    connection: sa.Connection,
    wanted: sa.Column[datetime],
    order: sa.Column[object],
    where: sa.ColumnElement[bool] = sa.true(),  # noqa: B008  (an expression never changes)
) -> datetime | None:
    query = sa.select(wanted).where(where, wanted.is_not(None)).order_by(order.desc()).limit(1)
    return connection.execute(query).scalar()


def _outbox(connection: sa.Connection, now: datetime) -> Outbox:
    def of(state: State, *where: sa.ColumnElement[bool]) -> tuple[int, datetime | None, datetime | None]:
        kind = action.c.created.type
        query = sa.select(
            sa.func.count(),
            sa.func.min(action.c.created, type_=kind),
            sa.func.max(action.c.settled, type_=kind),
        )
        number, first, last = connection.execute(query.where(action.c.state == state, *where)).one()
        return number, first, last

    waiting, oldest, _ = of(State.WAITING)
    dead, _, last_dead = of(State.DEAD, action.c.settled > now - REMEMBERED)
    return Outbox(waiting, oldest, of(State.HELD)[0], dead, last_dead)


def _oldest_aside(connection: sa.Connection) -> datetime | None:
    query = sa.select(notice.c.received).where(notice.c.aside != "").order_by(notice.c.id).limit(1)
    return connection.execute(query).scalar()


def _canaries(connection: sa.Connection) -> tuple[CanaryRound, ...]:
    query = sa.select(canary.c.sent, canary.c.returned, canary.c.error).order_by(canary.c.sent.desc())
    found = (CanaryRound(*row) for row in connection.execute(query.limit(ROUNDS)))
    return tuple(one for one in found if one.returned or one.error != UNDER_WAY)

"""What shadow mode has decided, and the numbers beside which that is to be read.

Knows which actions were only imagined. Does not know whether they would have been right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.storage.actions import State
from sidecar.storage.schema import action, action_bounce, bounce, brake

__all__ = ["Came", "Imagined", "Tag", "came", "imagined", "tags", "tripped_since"]


@dataclass(frozen=True)
class Imagined:
    """An action that would have been owed."""

    id: int
    wiki: str
    user_id: int
    kind: str
    created: datetime
    reason: str
    provider: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Came:
    """What came back."""

    first: datetime | None
    hard: int
    soft: int
    users: int
    users_hard: int


@dataclass(frozen=True)
class Tag:
    """The address of a user's mail that came back, as far as we know it."""

    wiki: str
    user_id: int
    key_id: str
    tag: str  #: "" in BounceHandler's format
    domain: str


def imagined(connection: sa.Connection, wikis: Sequence[str], since: datetime) -> list[Imagined]:
    """Decided in shadow mode since then, oldest first."""
    names = [name for name in Imagined.__dataclass_fields__ if name != "categories"]
    query = sa.select(*(action.c[name] for name in names)).where(
        action.c.state == State.SHADOW, action.c.created >= since, action.c.wiki.in_(wikis)
    )
    rows = connection.execute(query.order_by(action.c.created, action.c.id)).all()
    return [Imagined(**row._mapping, categories=_categories(connection, row.id)) for row in rows]


def came(connection: sa.Connection, wikis: Sequence[str], since: datetime) -> Came:
    """How much came back since then."""
    who = bounce.c.wiki + ":" + sa.cast(bounce.c.user_id, sa.String)
    query = sa.select(
        sa.func.min(bounce.c.received, type_=bounce.c.received.type),
        sa.func.count(sa.case((bounce.c.hard, 1))),
        sa.func.count(sa.case((~bounce.c.hard, 1))),
        sa.func.count(who.distinct()),
        sa.func.count(sa.case((bounce.c.hard, who)).distinct()),
    ).where(bounce.c.received >= since, bounce.c.wiki.in_(wikis))
    return Came(*connection.execute(query).one())


def tags(connection: sa.Connection, wikis: Sequence[str]) -> list[Tag]:
    """Of all mail that came back."""
    columns = [bounce.c[name] for name in Tag.__dataclass_fields__]
    query = sa.select(*columns).where(bounce.c.wiki.in_(wikis)).distinct()
    return [Tag(*row) for row in connection.execute(query)]


def tripped_since(connection: sa.Connection, since: datetime) -> list[str]:
    """Why brakes have tripped since then."""
    query = sa.select(brake.c.why).where(brake.c.tripped >= since).order_by(brake.c.id)
    return list(connection.execute(query).scalars())


def _categories(connection: sa.Connection, action_id: int) -> tuple[str, ...]:
    because = sa.select(action_bounce.c.bounce_id).where(action_bounce.c.action_id == action_id)
    query = sa.select(bounce.c.category).where(bounce.c.id.in_(because)).distinct()
    return tuple(connection.execute(query.order_by(bounce.c.category)).scalars())

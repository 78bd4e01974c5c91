"""Long lists, a page at a time, for whoever looks in.

Knows how a page is found by an index, however long the list is. Does not know how it is shown.
"""

from collections.abc import Collection

import sqlalchemy as sa

from sidecar.storage.actions import Entry, State
from sidecar.storage.aside import Aside
from sidecar.storage.schema import action, notice

__all__ = ["actions_before", "aside_after", "numbers"]


def actions_before(
    connection: sa.Connection, states: Collection[State], before: int | None, most: int
) -> list[Entry]:
    """Actions in these states, the newest first, from below the number *before*."""
    query = sa.select(*(action.c[name] for name in Entry.__dataclass_fields__))
    query = query.where(action.c.state.in_(states))
    if before is not None:
        query = query.where(action.c.id < before)
    return [
        Entry(**row._mapping) for row in connection.execute(query.order_by(action.c.id.desc()).limit(most))
    ]


def numbers(connection: sa.Connection, states: Collection[State]) -> dict[State, int]:
    """How many actions are in each of these states."""
    query = sa.select(action.c.state, sa.func.count().label("number")).where(action.c.state.in_(states))
    found = {row.state: row.number for row in connection.execute(query.group_by(action.c.state))}
    return {state: found.get(state, 0) for state in states}


def aside_after(connection: sa.Connection, after: int, most: int) -> list[Aside]:
    """What is set aside, the oldest first, from above the number *after*."""
    columns = (
        notice.c.id, notice.c.received, notice.c.aside, notice.c.kind, notice.c.domain, notice.c.return_path
    )  # fmt: skip
    query = sa.select(*columns).where(notice.c.aside != "", notice.c.id > after)
    return [Aside(*row) for row in connection.execute(query.order_by(notice.c.id).limit(most))]

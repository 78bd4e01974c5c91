"""Who is alive: a row for every daemon with a database.

Knows rows. Does not know how often anybody says so, nor how long is too long.
"""

from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.vitals import NodeSign
from sidecar.storage.schema import node

__all__ = ["forget", "put", "seen"]

_ROW = sa.select(*(node.c[name] for name in NodeSign.__dataclass_fields__)).order_by(node.c.name)


def seen(connection: sa.Connection) -> tuple[NodeSign, ...]:
    """All that are remembered, by their names."""
    return tuple(NodeSign(**row._mapping) for row in connection.execute(_ROW))


def put(connection: sa.Connection, sign: NodeSign) -> None:
    """It is alive, or says farewell. Repeatable.

    One that was started anew and has signed nothing yet keeps the time of what it signed before.
    """
    values = {name: getattr(sign, name) for name in NodeSign.__dataclass_fields__ if name != "name"}
    if sign.signed is None:
        del values["signed"]
    if not connection.execute(node.update().where(node.c.name == sign.name).values(values)).rowcount:
        connection.execute(node.insert().values(name=sign.name, **values))


def forget(connection: sa.Connection, before: datetime) -> None:
    """Those that were not seen since: they are gone for good."""
    connection.execute(node.delete().where(node.c.seen < before))

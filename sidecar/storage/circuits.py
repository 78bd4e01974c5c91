"""Who is left alone, and until when: shared by all nodes, and remembered across restarts.

Knows rows by their name, a wiki's or a login's. Does not know how long anybody is left alone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.storage.schema import circuit

__all__ = ["SHARED", "Standing", "drop", "named", "open_now", "put", "standing", "tidy"]

SHARED = "* "  # before the fingerprint of a login that many wikis share; no wiki's id has a space


@dataclass(frozen=True)
class Standing:
    """What failed, how often in a row, and until when it is left alone."""

    name: str
    failures: int
    until: datetime | None
    why: str
    changed: datetime
    credential: str = ""  #: keyed fingerprint of what was refused; "" if the trouble was another
    trouble: str = ""  #: vitals.Ailment; "" where an older program has written the row
    since: datetime | None = None  #: the first failure in a row; None likewise


_ROW = sa.select(
    circuit.c.wiki.label("name"),
    circuit.c.failures,
    circuit.c.until,
    circuit.c.why,
    circuit.c.changed,
    circuit.c.credential,
    circuit.c.trouble,
    circuit.c.since,
)


def standing(connection: sa.Connection, since: datetime | None = None) -> dict[str, Standing]:
    """All of them, or who has failed *since*: who answers has none."""
    query = _ROW.where(circuit.c.changed >= since) if since else _ROW
    return {row.name: Standing(**row._mapping) for row in connection.execute(query)}


def named(connection: sa.Connection, names: Collection[str]) -> dict[str, Standing]:
    """Those of them that there are."""
    found = connection.execute(_ROW.where(circuit.c.wiki.in_(list(names))))
    return {row.name: Standing(**row._mapping) for row in found}


def put(connection: sa.Connection, entry: Standing) -> None:
    values = {
        "failures": entry.failures,
        "until": entry.until,
        "why": entry.why,
        "changed": entry.changed,
        "credential": entry.credential,
        "trouble": entry.trouble,
        "since": entry.since,
    }
    changing = circuit.update().where(circuit.c.wiki == entry.name).values(values)
    if not connection.execute(changing).rowcount:
        connection.execute(circuit.insert().values(wiki=entry.name, **values))


def drop(connection: sa.Connection, names: Collection[str]) -> None:
    """They are well."""
    if names:
        connection.execute(circuit.delete().where(circuit.c.wiki.in_(list(names))))


def open_now(connection: sa.Connection, names: Collection[str], now: datetime) -> None:
    """They are left alone no longer; whether they are well, the next call tells."""
    if names:
        rows = circuit.c.wiki.in_(list(names)) & (circuit.c.until > now)
        connection.execute(circuit.update().where(rows).values(until=now))


def tidy(connection: sa.Connection, before: datetime) -> None:
    """Drop what has not failed since: wikis and passwords that are no more."""
    connection.execute(circuit.delete().where(circuit.c.changed < before))

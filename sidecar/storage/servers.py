"""What a database server must be like, so that nothing is lost on it and nothing is refused for ever.

Knows what each kind can be told to do wrong, and the remedy. Does not know our tables by name.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from sidecar.storage.engines import Kind
from sidecar.storage.schema import metadata
from sidecar.telemetry import Tellable

__all__ = ["OnlyRead", "Unsuitable", "facts", "problems", "refuse"]

MARIADB_OLDEST = (10, 6)  # SKIP LOCKED; and a change of a table is whole or not at all, also after a crash
POSTGRESQL_OLDEST = (13,)  # those before get no security updates any more
PACKET = 16 * 2**20  # octets; the largest mail (15 MiB), with what is escaped in it


class Unsuitable(Tellable):
    """This database server, or this database on it, cannot be used. The words name the remedy."""


class OnlyRead(Tellable):
    """The server lets nobody write. Name the one that others copy from, or wait until this one takes over."""


def refuse(connection: sa.Connection) -> None:
    """Raises Unsuitable with all reasons at once."""
    if found := list(problems(Kind(connection.dialect.name), facts(connection))):
        raise Unsuitable("; ".join(found))


def facts(connection: sa.Connection) -> dict[str, Any]:
    """What ``problems`` looks at."""
    kind = Kind(connection.dialect.name)
    return _FACTS[kind](connection) if kind in _FACTS else {}


def problems(kind: Kind, found: dict[str, Any]) -> Iterator[str]:
    """Why the server or the database cannot be used, each with its remedy."""
    if kind is Kind.MARIADB:
        yield from _of_mariadb(found)
    elif kind is Kind.POSTGRESQL:
        yield from _of_postgresql(found)


def _of_mariadb(found: dict[str, Any]) -> Iterator[str]:
    if found["version"] < MARIADB_OLDEST:
        yield f"MariaDB {_dotted(found['version'])} is too old: {_dotted(MARIADB_OLDEST)} or newer is wanted"
    if found["log_bin"] and found["binlog_format"] == "STATEMENT":
        yield "binlog_format = STATEMENT refuses our transactions (error 1665): set it to MIXED or ROW"
    if found["max_allowed_packet"] < PACKET:
        packet = found["max_allowed_packet"]
        yield f"max_allowed_packet = {packet} is too small for a mail: set it to 16M or more"
    if others := sorted(found["not_innodb"]):
        yield (
            f"not InnoDB, hence without transactions: {', '.join(others)}: "
            + " ".join(f"ALTER TABLE {name} ENGINE = InnoDB;" for name in others)
        )


def _of_postgresql(found: dict[str, Any]) -> Iterator[str]:
    if found["version"] < POSTGRESQL_OLDEST:
        wanted = _dotted(POSTGRESQL_OLDEST)
        yield f"PostgreSQL {_dotted(found['version'])} is too old: {wanted} or newer is wanted"
    if found["encoding"] != "UTF8":
        yield (
            f"the database's encoding is {found['encoding']}, which cannot keep every mail: make another, "
            "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )


def _facts_of_mariadb(connection: sa.Connection) -> dict[str, Any]:
    asked = sa.text("SELECT @@log_bin, @@binlog_format, @@max_allowed_packet")
    log_bin, binlog_format, packet = connection.execute(asked).one()
    engines = sa.text(
        "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = DATABASE()"
    )
    ours = {*metadata.tables, "alembic_version"}
    return {
        "version": _version(connection),
        "log_bin": bool(log_bin),
        "binlog_format": binlog_format,
        "max_allowed_packet": packet,
        "not_innodb": [
            name for name, engine in connection.execute(engines) if name in ours and engine != "InnoDB"
        ],
    }


def _facts_of_postgresql(connection: sa.Connection) -> dict[str, Any]:
    encoding = connection.execute(sa.text("SHOW server_encoding")).scalar_one()
    return {"version": _version(connection), "encoding": encoding}


def _version(connection: sa.Connection) -> tuple[int, ...]:
    version = connection.dialect.server_version_info or ()
    return tuple(part for part in version if isinstance(part, int))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


_FACTS = {Kind.MARIADB: _facts_of_mariadb, Kind.POSTGRESQL: _facts_of_postgresql}

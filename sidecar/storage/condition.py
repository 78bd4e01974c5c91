"""How the database is: what `db status` tells.

Knows where each kind keeps sizes and whether it lets anybody write. Does not judge: servers.py and
versions.py say whether this program can use it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sidecar.storage import servers, versions
from sidecar.storage.engines import Kind
from sidecar.storage.schema import metadata
from sidecar.storage.versions import Version

__all__ = ["Condition", "TableSize", "condition"]


@dataclass(frozen=True)
class TableSize:
    name: str
    rows: int  #: on a server about as many, as it estimates
    octets: int | None  #: with indexes; None where only the whole is known


@dataclass(frozen=True)
class Condition:
    kind: Kind
    server: str  #: version, in its own words
    version: Version
    problems: list[str]  #: why this program cannot use it; none: it can
    only_reads: str  #: why nobody may write, in the server's words; "" if one may
    durable: str  #: why a power cut may take what was promised; "" if it cannot
    ahead: timedelta  #: of the server's clock, before this host's
    tables: list[TableSize]
    octets: int  #: of the whole database


def condition(connection: sa.Connection, clock: Callable[[], datetime]) -> Condition:
    """Look at the database of *connection*; changes nothing."""
    kind = Kind(connection.dialect.name)
    problems = list(servers.problems(kind, servers.facts(connection)))
    try:
        versions.check(connection)
    except (versions.NoHistory, versions.SchemaTooOld, versions.SchemaUnknown) as error:
        problems.append(str(error))
    look = _LOOKS[kind]
    before = clock()
    theirs = _time(connection.execute(sa.text(look.clock)).scalar_one())
    own = before + (clock() - before) / 2
    tables = look.tables(connection)
    return Condition(
        kind,
        str(connection.execute(sa.text(look.server)).scalar_one()),
        versions.find(connection),
        problems,
        look.only_reads(connection),
        look.durable(connection),
        theirs - own if kind is not Kind.SQLITE else timedelta(0),
        tables,
        look.octets(connection),
    )


@dataclass(frozen=True)
class _Look:
    server: str
    clock: str
    only_reads: Callable[[sa.Connection], str]
    durable: Callable[[sa.Connection], str]
    tables: Callable[[sa.Connection], list[TableSize]]
    octets: Callable[[sa.Connection], int]


def _time(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _setting(words: dict[str, str]) -> Callable[[sa.Connection], str]:
    """The words for each query that is true, together."""

    def look(connection: sa.Connection) -> str:
        return "; ".join(said for query, said in words.items() if connection.execute(sa.text(query)).scalar())

    return look


def _sqlite_tables(connection: sa.Connection) -> list[TableSize]:
    there = set(sa.inspect(connection).get_table_names())
    return [
        TableSize(name, connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one(), None)
        for name in metadata.tables
        if name in there
    ]


def _sizes(query: str) -> Callable[[sa.Connection], list[TableSize]]:
    def look(connection: sa.Connection) -> list[TableSize]:
        found = {name: (rows, octets) for name, rows, octets in connection.execute(sa.text(query))}
        return [
            TableSize(name, int(found[name][0] or 0), int(found[name][1] or 0))
            for name in metadata.tables
            if name in found
        ]

    return look


def _number(query: str) -> Callable[[sa.Connection], int]:
    return lambda connection: int(connection.execute(sa.text(query)).scalar() or 0)


_LOOKS = {
    Kind.SQLITE: _Look(
        server="SELECT sqlite_version()",
        clock="SELECT datetime('now')",
        only_reads=lambda _: "",
        durable=lambda _: "",
        tables=_sqlite_tables,
        octets=_number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
    ),
    Kind.MARIADB: _Look(
        server="SELECT version()",
        clock="SELECT utc_timestamp(6)",
        only_reads=_setting({"SELECT @@global.read_only": "read_only is on: a replica?"}),
        durable=_setting(
            {
                "SELECT @@innodb_flush_log_at_trx_commit <> 1": "innodb_flush_log_at_trx_commit is not 1",
                "SELECT @@log_bin AND @@sync_binlog <> 1": "sync_binlog is not 1",
            }
        ),
        tables=_sizes(
            "SELECT table_name, table_rows, data_length + index_length FROM information_schema.tables "
            "WHERE table_schema = DATABASE()"
        ),
        octets=_number(
            "SELECT sum(data_length + index_length) FROM information_schema.tables "
            "WHERE table_schema = DATABASE()"
        ),
    ),
    Kind.POSTGRESQL: _Look(
        server="SHOW server_version",
        clock="SELECT clock_timestamp()",
        only_reads=_setting(
            {
                "SELECT pg_is_in_recovery()": "a standby, which copies from another server",
                "SELECT reset_val = 'on' FROM pg_settings "  # ours is on for this very session
                "WHERE name = 'default_transaction_read_only'": "default_transaction_read_only is on",
            }
        ),
        durable=_setting(
            {
                "SELECT current_setting('fsync') = 'off'": "fsync is off",
                "SELECT current_setting('synchronous_commit') = 'off'": "synchronous_commit is off",
            }
        ),
        tables=_sizes("SELECT relname, n_live_tup, pg_total_relation_size(relid) FROM pg_stat_user_tables"),
        octets=_number("SELECT pg_database_size(current_database())"),
    ),
}

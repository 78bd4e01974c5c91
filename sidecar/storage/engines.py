"""How each kind of database is opened: SQLite, MariaDB, PostgreSQL.

Knows their manners, and which of their errors pass when the work is done again. Does not know tables, nor who
works in which thread.
"""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
import tenacity
from sqlalchemy import event

__all__ = ["Engines", "Kind", "only_reads", "passes", "patient_engine"]

CONNECT = 5  # seconds; an MTA waits for us meanwhile, and comes again
SILENCE = 30  # seconds without an answer of the server; the longest transaction of ours takes one
LOCK = 5  # seconds for which a row may be locked by others
LOOK = 0.05  # seconds, at the most, between two tries to make a file a WAL
ABANDONED = (
    30  # seconds after which the server ends a transaction whose node says nothing, and frees its locks
)
FILE_MODE = 0o640  # of an SQLite file that we make; its -wal and -shm follow it
RECYCLE = 1800  # seconds after which a connection is replaced: proxies forget those that are older


class Kind(StrEnum):
    """Which database it is."""

    SQLITE = "sqlite"
    MARIADB = "mariadb"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Engines:
    """One that writes, and one that only may read, of the same database."""

    kind: Kind
    writing: sa.Engine
    reading: sa.Engine
    private: bool  #: SQLite in memory: both are one connection

    @classmethod
    def of(cls, url: str, password: str, *, busy_seconds: float, writers: int, readers: int) -> "Engines":
        """Connects to nothing yet. *busy_seconds*: how long SQLite waits for a lock."""
        parsed = _with(url, password)
        kind = Kind(parsed.get_backend_name())
        if kind is Kind.SQLITE:
            private = parsed.database in (None, "", ":memory:")
            writing = _sqlite(parsed, "BEGIN IMMEDIATE", private, busy_seconds)
            # pysqlite opens a transaction at the first write only, so "read, decide, write" would lose
            # updates without a word; hence BEGIN IMMEDIATE for writers. Readers must not take that lock.
            return cls(
                kind, writing, writing if private else _sqlite(parsed, "BEGIN", False, busy_seconds), private
            )
        return cls(kind, _server(kind, parsed, writers), _server(kind, parsed, readers, reading=True), False)

    def dispose(self) -> None:
        """Close all connections."""
        self.reading.dispose()
        self.writing.dispose()


def patient_engine(url: str, password: str) -> sa.Engine:
    """For a change of the tables of a server, which may take hours; each statement commits by itself."""
    parsed = _with(url, password)
    return _server(Kind(parsed.get_backend_name()), parsed, 1, changing=True)


def passes(error: BaseException) -> bool:
    """Whether the work may be done again, at once, in a new transaction: nothing of it was kept.

    Somebody else was faster with the same row, or is in the way; the server is gone, restarts, or lets nobody
    write because another one took over.
    """
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    if isinstance(error, sa.exc.IntegrityError) or error.connection_invalidated:
        return True
    if hasattr(error.orig, "sqlstate"):
        state: str | None = error.orig.sqlstate  # type: ignore[union-attr]
        if state is None:  # of what hinders a connection psycopg gives no code
            return isinstance(error, sa.exc.OperationalError)
        return state in PG_PASSES or state[:2] in PG_CLASSES
    number = error.orig.args[0] if error.orig and error.orig.args else None
    return number in MARIADB_PASSES


#: Of a server that lets nobody write: a standby, or one that was told to be one.
MARIADB_ONLY_READS = frozenset(
    {
        1290,  # The server is running with the --read-only option
        1792,  # Cannot execute statement in a READ ONLY transaction
        1836,  # Running in read-only mode
    }
)
PG_ONLY_READS = "25006"  # read_only_sql_transaction

#: https://mariadb.com/kb/en/mariadb-error-codes/ and the client's own, below 3000.
MARIADB_PASSES = MARIADB_ONLY_READS | frozenset(
    {
        1020,  # Record has changed since last read
        1040,  # Too many connections
        1053,  # Server shutdown in progress
        1205,  # Lock wait timeout exceeded
        1213,  # Deadlock found when trying to get lock
        1203,  # User already has more than 'max_user_connections' active connections
        1226,  # User has exceeded the 'max_user_connections' resource
        1412,  # Table definition has changed, please retry transaction
        1927,  # Connection was killed
        2002,  # Can't connect to local server through socket
        2003,  # Can't connect to server
        2006,  # Server has gone away
        2013,  # Lost connection to server during query
    }
)

#: https://www.postgresql.org/docs/15/errcodes-appendix.html
PG_PASSES = frozenset(
    {
        PG_ONLY_READS,
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "53300",  # too_many_connections
        "55P03",  # lock_not_available
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
    }
)
PG_CLASSES = frozenset({"08"})  # connection exceptions


def only_reads(error: BaseException | None) -> bool:
    """Whether the driver's error says that the server lets nobody write: a standby, or told to be one."""
    number = error.args[0] if error and error.args else None
    return number in MARIADB_ONLY_READS or getattr(error, "sqlstate", None) == PG_ONLY_READS


def _with(url: str, password: str) -> sa.URL:
    parsed = sa.make_url(url)
    return parsed.set(password=password) if password else parsed


def _sqlite(url: sa.URL, begin: str, private: bool, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # they may hold addresses, and errors are logged
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        **({"poolclass": sa.StaticPool} if private else {}),
    )
    if not private:
        event.listen(engine, "do_connect", lambda *_: _make_file(str(url.database)))
    event.listen(engine, "connect", lambda connection, _: _prepare_sqlite(connection, busy_seconds))
    if begin == "BEGIN":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return _told_once(engine)


def _make_file(name: str) -> None:
    """Whole mails are kept in it: others may not read it, whatever the umask of who makes it first."""
    with contextlib.suppress(OSError):  # it is there; or SQLite will say why not
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))


def _prepare_sqlite(connection: Any, busy_seconds: float) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    # Whoever would make a file a WAL while another writes in it is told to go, and not made to wait.
    wait_for_the_other = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_busy),
        stop=tenacity.stop_after_delay(busy_seconds),
        wait=tenacity.wait_random(0, LOOK),
        reraise=True,
    )
    wait_for_the_other(connection.execute, "PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a 250 is a promise that survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what is dropped is overwritten, not only unlinked


def _is_busy(error: BaseException) -> bool:
    """What SQLite says of a lock, before SQLAlchemy has a hand in it."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


def _server(
    kind: Kind, url: sa.URL, connections: int, *, reading: bool = False, changing: bool = False
) -> sa.Engine:
    # A writer sees what others have committed, statement by statement, and takes the locks that it needs; a
    # reader sees one state.
    level = "AUTOCOMMIT" if changing else "REPEATABLE READ" if reading else "READ COMMITTED"
    silence = None if changing else SILENCE
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,  # the server may have restarted since
        pool_recycle=RECYCLE,
        isolation_level=level,
        connect_args=_TIMEOUTS[kind](silence),
    )
    settings = _SETTINGS[kind](reading, silence)

    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for statement in settings:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", prepare)
    event.listen(engine, "handle_error", _leave_what_cannot_be_written)
    return _told_once(engine)


def _told_once(engine: sa.Engine) -> sa.Engine:
    """A connection that is broken when it is put back, or closed, is no trouble by itself: whoever asks the
    database next is told, and says so."""
    cast(logging.Logger, engine.pool.logger).addFilter(_is_no_error_of_a_connection)
    return engine


def _is_no_error_of_a_connection(record: logging.LogRecord) -> bool:
    return not record.exc_info


def _leave_what_cannot_be_written(context: sa.ExceptionContext) -> None:
    """A server that became read-only is left: a proxy, or the next of several hosts, knows who took over."""
    if not context.is_disconnect and only_reads(context.original_exception):
        context.is_disconnect = True


_TIMEOUTS: dict[Kind, Callable[[int | None], dict[str, Any]]] = {
    Kind.MARIADB: lambda silence: {
        "connect_timeout": CONNECT,
        "write_timeout": SILENCE,
        # What does not fit is no row. Said before SQLAlchemy looks how names are quoted.
        "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
        **({"read_timeout": silence} if silence else {}),
    },
    Kind.POSTGRESQL: lambda silence: {
        "connect_timeout": CONNECT,
        "tcp_user_timeout": SILENCE * 1000,  # milliseconds; a host that is gone says nothing
        # Nor does one that vanished with a question in its hands: that was delivered, and nothing is left to
        # time out. The system would ask whether anybody is there after two hours.
        "keepalives_idle": SILENCE // 3,
        "keepalives_interval": SILENCE // 6,
        "keepalives_count": 4,
        "application_name": "bounce-sidecar",
    },
}

_SETTINGS: dict[Kind, Callable[[bool, int | None], list[str]]] = {
    Kind.MARIADB: lambda reading, silence: [
        "SET SESSION default_storage_engine = InnoDB",  # of tables that we make
        f"SET SESSION innodb_lock_wait_timeout = {LOCK}",
        f"SET SESSION lock_wait_timeout = {LOCK}",  # behind a change of a table; a day unless told
        f"SET SESSION idle_transaction_timeout = {ABANDONED}",
        *(["SET SESSION TRANSACTION READ ONLY"] if reading else []),
    ],
    Kind.POSTGRESQL: lambda reading, silence: [
        f"SET lock_timeout = '{LOCK}s'",
        f"SET idle_in_transaction_session_timeout = '{ABANDONED}s'",
        *([f"SET statement_timeout = '{silence}s'"] if silence else []),
        *(["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"] if reading else []),
    ],
}

"""Connections, transactions, and the rooms in which they happen.

Knows SQLite's manners. Does not know any table. All writing goes through one thread: SQLite has one writer
anyway, and works that wait while it commits share the next commit.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event

from sidecar.telemetry import Tellable
from sidecar.threads import Room

__all__ = ["Database", "FileReplaced", "NoHistory", "NotRewritten", "SchemaUnknown"]

R = TypeVar("R")
Work = Callable[[sa.Connection], Any]

SHARED_COMMIT = 64  # works; an MTA opens some 20 sessions, and one late fsync should not hold up hundreds
TRIES, PAUSE = 20, 0.5  # to empty the log while another process does, and seconds between: 500 MB take some 5
BUSY_SECONDS = 5.0  # an operator's command may hold the lock; longer is 451, and the MTA asks again


class NoHistory(Tellable):
    """There is no database yet; the daemon makes it at its first start."""


class FileReplaced(Tellable):
    """The database's file was removed or replaced under us. Nothing is booked until a restart."""


class SchemaUnknown(Tellable):
    """The tables are newer than this program. Install the newer one again, or restore an older copy."""


class NotRewritten(Tellable):
    """What was deleted may still be found in the file. Do it again when there is less to do, or more room."""


class Database:
    """A database by its SQLAlchemy URL; "sqlite://" is a private one in memory.

    ``open`` brings the schema up to date; raises SchemaUnknown if it is ahead of this program. ``write`` and
    ``read`` raise whatever the work raises, or sqlalchemy.exc.SQLAlchemyError if the database does not do
    its part: then nothing was committed.
    """

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        private = sa.make_url(url).database in (None, "", ":memory:")
        self._writing = _engine(url, "BEGIN IMMEDIATE", private, busy_seconds)
        # pysqlite opens a transaction at the first write only, so "read, decide, write" would lose updates
        # without a word; hence BEGIN IMMEDIATE for writers. Readers must not take that lock.
        self._reading = self._writing if private else _engine(url, "BEGIN", private, busy_seconds)
        self._writer = Room("db-writer")
        self._readers = self._writer if private else Room("db-reader", 2)
        self._file = None if private else Path(sa.make_url(url).database or "")
        self._inode: tuple[int, int] | None = None
        self._queue: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Create or upgrade the tables; proves that the database can be written."""
        await self._writer.run(self._upgrade)

    async def join(self) -> None:
        """Use a database that another process, the daemon, has made and keeps up to date.

        Raises NoHistory if there is none, SchemaUnknown if it is not of this version.
        """
        if self._file and not self._file.exists():
            raise NoHistory(f"there is no history yet: {self._file}")
        await self._writer.run(self._compare)

    async def write(self, work: Callable[[sa.Connection], R]) -> R:
        """Run *work* in a transaction on the writer's thread; returns after the commit.

        Works share a transaction but not their fate: one that raises is rolled back alone. If the waiting
        task is cancelled the work may still be committed: make it repeatable.
        """
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append((work, done))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain(), name="db-writer")
        return await done

    async def read(self, work: Callable[[sa.Connection], R]) -> R:
        """Run *work* on a reader's thread, in a transaction that sees one state and changes nothing."""
        return await self._readers.run(lambda: self._look(work))

    async def scrub(self) -> bool:
        """Empty the write-ahead log, which holds old copies of what was dropped since.

        False if somebody was reading all the time: nothing is wrong, do it again later.
        """
        for _ in range(TRIES):
            emptying = self._writer.run(lambda: self._alone("PRAGMA wal_checkpoint(TRUNCATE)"))
            busy, pages, _ = await emptying
            if not busy:
                return True
            if pages >= 0:  # a reader: SQLite has waited for it
                return False
            await asyncio.sleep(PAUSE)  # another process is at it: SQLite does not wait for that
        return False

    async def rewrite(self) -> None:
        """Write the file anew, without anything that was ever deleted, and empty the write-ahead log.

        Nobody else can write meanwhile. Raises NotRewritten.
        """
        # Overwriting is not enough: SQLite leaves copies of cells behind where it has balanced its pages.
        try:
            await self._writer.run(lambda: self._alone("VACUUM"))
            emptied = await self.scrub()
        except sqlite3.Error as error:
            raise NotRewritten(str(error)) from None
        if not emptied:
            raise NotRewritten("others were at work all the time")

    async def prove(self) -> None:
        """Write nothing new: a full disk and a lock that somebody holds show at a write alone.

        Raises FileReplaced or sqlalchemy.exc.SQLAlchemyError.
        """
        await self.write(_touch)

    async def close(self) -> None:
        """Waits for what is being written."""
        if self._draining:
            await self._draining
        self._writer.close()
        self._readers.close()
        self._reading.dispose()
        self._writing.dispose()

    async def _drain(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), SHARED_COMMIT))]
            works = [work for work, _ in batch]
            try:
                results = await self._writer.run(lambda works=works: self._commit(works))  # type: ignore[misc]
            except asyncio.CancelledError:
                for _, done in batch:
                    done.cancel()
                raise
            except Exception as error:
                results = [error] * len(batch)
            for (_, done), result in zip(batch, results, strict=True):
                if done.cancelled():
                    continue
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)

    def _commit(self, works: list[Work]) -> list[Any]:
        results: list[Any] = []
        self._check_file()
        with self._writing.begin() as connection:
            for work in works:
                own = connection.begin_nested()
                try:
                    results.append(work(connection))
                    own.commit()
                except Exception as error:
                    try:
                        own.rollback()
                    except sa.exc.SQLAlchemyError:  # the transaction is gone: disk full, I/O error
                        raise error from None  # the cause, to everybody: nobody is told "yes"
                    results.append(error)
        return results

    def _alone(self, statement: str) -> tuple[Any, ...]:
        """What is refused inside a transaction, which SQLAlchemy always begins."""
        with self._writing.connect() as connection:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(statement)
                return tuple(cursor.fetchone() or ())
            finally:
                cursor.close()

    def _look(self, work: Callable[[sa.Connection], R]) -> R:
        with self._reading.connect() as connection:
            return work(connection)

    def _upgrade(self) -> None:
        config = _migrations()
        with self._writing.begin() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise SchemaUnknown(
                    f"the database was made by another, newer version of bounce-sidecar ({error})"
                ) from None
            _touch(connection)  # a file that cannot be written shows at a write, not at BEGIN
        self._note_file()

    def _compare(self) -> None:
        head = ScriptDirectory.from_config(_migrations()).get_current_head()
        with self._reading.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found != head:
            raise SchemaUnknown(
                f"the database is at version {found}, this program wants {head}; restart the daemon, "
                "or use the program that it runs"
            )
        self._note_file()

    def _note_file(self) -> None:
        if self._file:
            status = self._file.stat()
            self._inode = status.st_dev, status.st_ino

    def _check_file(self) -> None:
        """What is written to a file that was removed or replaced is lost: 250 must not be said for it."""
        if self._inode is None or self._file is None:
            return
        try:
            status = self._file.stat()
        except FileNotFoundError:
            raise FileReplaced(f"{self._file} was removed; put it back and restart") from None
        if (status.st_dev, status.st_ino) != self._inode:
            raise FileReplaced(f"{self._file} was replaced; restart")


def _touch(connection: sa.Connection) -> None:
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _engine(url: str, begin: str, private: bool, busy_seconds: float) -> sa.Engine:
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # they may hold addresses, and errors are logged
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        **({"poolclass": sa.StaticPool} if private else {}),
    )
    event.listen(engine, "connect", _prepare)
    if begin == "BEGIN":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a 250 is a promise that survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what is dropped is overwritten, not only unlinked

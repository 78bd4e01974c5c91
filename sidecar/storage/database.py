"""The database: transactions, and the rooms in which they happen.

Knows when something is written and read. Does not know any table, nor the manners of each kind of database:
engines.py does, and writers.py knows who writes.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import sqlalchemy as sa

from sidecar.storage import servers, versions
from sidecar.storage.engines import Engines, Kind, only_reads, patient_engine
from sidecar.storage.health import Health
from sidecar.storage.servers import OnlyRead, Unsuitable
from sidecar.storage.sqlite_file import FileReplaced, SqliteFile, outside_transactions
from sidecar.storage.versions import Guard, NoHistory, NoSuchVersion, SchemaTooOld, SchemaUnknown, Tell
from sidecar.storage.writers import DatabaseSilent, OneByOne, SharedCommit, Writer, repeated, unless_silent
from sidecar.telemetry import Metrics, Tellable
from sidecar.threads import Room

__all__ = [
    "Database", "DatabaseSilent", "FileReplaced", "NoHistory", "NoSuchVersion", "NotRewritten", "OnlyRead",
    "SchemaTooOld", "SchemaUnknown", "Unsuitable",
]  # fmt: skip

R = TypeVar("R")

TRIES, PAUSE = 20, 0.5  # to empty the log while another process does, and seconds between: 500 MB take some 5
BUSY_SECONDS = 5.0  # an operator's command may hold the lock; longer is 451, and the MTA asks again
WRITERS = 4  # transactions at a time on a database server; its group commit makes one fsync of them
READERS = 2
ONLOOKERS = 1  # who only looks at pages waits for others who do, never the mail for them


class NotRewritten(Tellable):
    """What was deleted may still be found in the file. Do it again when there is less to do, or more room."""


class Database:
    """A database by its SQLAlchemy URL; "sqlite://" is a private one in memory.

    ``write`` and ``read`` raise whatever the work raises, or sqlalchemy.exc.SQLAlchemyError or DatabaseSilent
    if the database does not do its part: then nothing was committed, or nobody knows, and it may be repeated.
    """

    def __init__(
        self,
        url: str,
        *,
        password: str = "",
        busy_seconds: float = BUSY_SECONDS,
        metrics: Metrics | None = None,
        logs_trouble: bool = False,
    ) -> None:
        """*logs_trouble*: for the daemon, which goes on; a command ends with the error and prints it."""
        self._health = Health(metrics or Metrics(), logs_trouble=logs_trouble)
        self._patient = partial(patient_engine, url, password)
        engines = Engines.of(
            url, password, busy_seconds=busy_seconds, writers=WRITERS, readers=READERS + ONLOOKERS
        )
        self._engines, self.kind = engines, engines.kind
        self._file: SqliteFile | None = None
        guard = Guard().check
        if engines.kind is Kind.SQLITE:
            if not engines.private:
                self._file = SqliteFile(Path(engines.writing.url.database or ""))
            check = self._file.check if self._file else lambda: None
            shared = SharedCommit(engines.writing, check, guard)
            self._writer: Writer = shared
            self._readers = shared.room if engines.private else Room("db-reader", READERS)
            self._onlookers = shared.room if engines.private else Room("db-onlooker", ONLOOKERS)
        else:
            self._writer = OneByOne(engines.writing, WRITERS, guard, lambda: self._health.good)
            self._readers = Room("db-reader", READERS)
            self._onlookers = Room("db-onlooker", ONLOOKERS)

    @property
    def good(self) -> bool:
        """Whether it did its part the last time that anything was read, and that anything was written."""
        return self._health.good

    async def open(self) -> None:
        """Be ready to write, and prove it.

        SQLite's tables are made and brought up to date here; those of a server, which other nodes use, by
        ``upgrade`` alone. Raises NoHistory, SchemaTooOld, SchemaUnknown, Unsuitable or OnlyRead.
        """
        if self.kind is Kind.SQLITE:
            await self.upgrade()
        else:
            await self._suit()
            await self.read(versions.check)
        try:
            await self.prove()
        except sa.exc.DBAPIError as error:
            if self.kind is Kind.SQLITE or not only_reads(error.orig):
                raise
            raise OnlyRead(
                f"the server lets nobody write ({error.orig}): a standby? The URL must name the one that "
                "others copy from, or this one has to take over first"
            ) from None

    async def upgrade(self, tell: Tell = lambda words: None, *, dry: bool = False) -> None:
        """Make the tables or bring them up to date, or only *tell* how (*dry*); repeatable.

        Raises SchemaUnknown or Unsuitable.
        """

        def change(connection: sa.Connection) -> None:
            if versions.settled(connection):
                tell(f"at version {versions.newest()}: nothing to do")
            else:
                _upgrading().upgrade(connection, tell, dry=dry)
            if not dry:
                versions.touch(connection)  # a file that cannot be written shows at a write, not at BEGIN

        await self._suit()
        await self._change(change)

    async def downgrade(self, to: str, tell: Tell = lambda words: None) -> None:
        """Back to version *to*, or to "base": no tables. Repeatable. Raises NoSuchVersion."""
        await self._change(lambda connection: _upgrading().downgrade(connection, to, tell))

    async def join(self) -> None:
        """Use a database that another process, the daemon, has made and keeps up to date.

        Raises NoHistory if there is none, SchemaTooOld or SchemaUnknown if it is not of this version, and
        Unsuitable.
        """
        await self.look(versions.check)

    async def look(self, work: Callable[[sa.Connection], R], *, any_server: bool = False) -> R:
        """``read``, also where there are no tables or others than ours. Raises NoHistory.

        Raises Unsuitable, unless *any_server* will do.
        """
        if self._file and not self._file.path.exists():
            raise NoHistory(f"there is no history yet: {self._file.path}")
        if not any_server:
            await self._suit()
        result = await self.read(work)
        if self._file:
            self._file.note()
        return result

    async def write(self, work: Callable[[sa.Connection], R]) -> R:
        """Run *work* in a transaction on a writer's thread; returns after the commit.

        One that raises is rolled back alone. If the waiting task is cancelled the work may still be
        committed, and on a server it may be done twice: make it repeatable.
        """
        with self._health.writing():
            return await self._writer.write(work)

    async def read(self, work: Callable[[sa.Connection], R], *, onlooker: bool = False) -> R:
        """Run *work* on a reader's thread, in a transaction that sees one state and changes nothing.

        *onlooker*: the mail's way does not need it, and must not wait for it.
        """
        room = self._onlookers if onlooker else self._readers
        look = room.run(lambda: repeated(lambda: self._look(work)))
        with self._health.reading():
            return await (look if self.kind is Kind.SQLITE else unless_silent(look))

    async def scrub(self) -> bool:
        """Empty SQLite's write-ahead log, which holds old copies of what was dropped since.

        False if somebody was reading all the time: nothing is wrong, do it again later.
        """
        if self.kind is not Kind.SQLITE:
            return True
        for _ in range(TRIES):
            busy, pages, _ = await self._outside_transactions("PRAGMA wal_checkpoint(TRUNCATE)")
            if not busy:
                return True
            if pages >= 0:  # a reader: SQLite has waited for it
                return False
            await asyncio.sleep(PAUSE)  # another process is at it: SQLite does not wait for that
        return False

    async def rewrite(self) -> None:
        """Write SQLite's file anew, without anything that was ever deleted, and empty the write-ahead log.

        Nobody else can write meanwhile. What a server's files, logs and replicas keep is its operator's
        concern. Raises NotRewritten.
        """
        if self.kind is not Kind.SQLITE:
            return
        # Overwriting is not enough: SQLite leaves copies of cells behind where it has balanced its pages.
        try:
            await self._outside_transactions("VACUUM")
            emptied = await self.scrub()
        except sqlite3.Error as error:
            raise NotRewritten(str(error)) from None
        if not emptied:
            raise NotRewritten("others were at work all the time")

    async def prove(self) -> None:
        """Write nothing new: a full disk and a lock that somebody holds show at a write alone.

        Raises FileReplaced or sqlalchemy.exc.SQLAlchemyError.
        """
        await self.write(versions.touch)

    async def close(self) -> None:
        """Waits for what is being written."""
        await self._writer.close()
        self._readers.close()
        self._onlookers.close()
        self._engines.dispose()

    async def _outside_transactions(self, statement: str) -> tuple[int, ...]:
        return await self._writer.alone(lambda: outside_transactions(self._engines.writing, statement))

    def _look(self, work: Callable[[sa.Connection], R]) -> R:
        with self._engines.reading.connect() as connection:
            return work(connection)

    async def _suit(self) -> None:
        if self.kind is Kind.SQLITE:
            return
        try:
            await self.read(servers.refuse)
        except sa.exc.InvalidRequestError as error:  # SQLAlchemy has met a MySQL
            raise Unsuitable(f"{error} MariaDB 10.6 or newer is wanted") from None

    async def _change(self, work: Callable[[sa.Connection], None]) -> None:
        """The tables: SQLite's in one transaction, those of a server statement by statement."""
        engine = self._engines.writing if self.kind is Kind.SQLITE else self._patient()

        def change() -> None:
            with engine.begin() as connection:
                work(connection)
            if self._file:
                self._file.note()

        try:
            await self._writer.alone(change)
        finally:
            if engine is not self._engines.writing:
                engine.dispose()


def _upgrading() -> ModuleType:
    """Who changes tables: with it comes Alembic, which a daemon that finds them in order does without."""
    return import_module("sidecar.storage.upgrading")

"""Who writes, in which thread, and with whom a commit is shared.

SQLite has one writer: works that wait while it commits share the next commit. The other databases have many,
on several nodes: each work has a transaction of its own, and is done again where another was in the way.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
import tenacity

from sidecar.storage.engines import passes
from sidecar.telemetry import Tellable
from sidecar.threads import Room

__all__ = ["DatabaseSilent", "OneByOne", "SharedCommit", "Work", "Writer", "repeated", "unless_silent"]

R = TypeVar("R")
Work = Callable[[sa.Connection], Any]

SHARED_COMMIT = 64  # works; an MTA opens some 20 sessions, and one late fsync should not hold up hundreds
TRIES = (
    8  # of a work that others were in the way of; two nodes that fail at the same users collide now and then
)
LONGEST_PAUSE = 0.5  # seconds between two tries
PATIENCE = 10.0  # seconds after which no further try begins: the MTA comes again
SILENT = 90.0  # seconds; a server that was stopped in its tracks answers nothing, not even an error


class DatabaseSilent(Tellable):
    """The database server takes connections and does not answer. Look at its host: stopped, out of disk?"""


class Writer(Protocol):
    async def write(self, work: Callable[[sa.Connection], R]) -> R: ...

    async def alone(self, work: Callable[[], R]) -> R:
        """In the writer's thread, while it writes nothing."""
        ...

    async def close(self) -> None: ...


class SharedCommit:
    """One thread; works share a transaction but not their fate: one that raises is rolled back alone."""

    def __init__(
        self, engine: sa.Engine, check: Callable[[], None], guard: Callable[[sa.Connection], None]
    ) -> None:
        self._engine, self._check, self._guard = engine, check, guard
        self.room = Room("db-writer")
        self._queue: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[sa.Connection], R]) -> R:
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append((work, done))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain(), name="db-writer")
        return await done

    async def alone(self, work: Callable[[], R]) -> R:
        return await self.room.run(work)

    async def close(self) -> None:
        """Waits for what is being written."""
        if self._draining:
            await self._draining
        self.room.close()

    async def _drain(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), SHARED_COMMIT))]
            works = [work for work, _ in batch]
            try:
                results = await self.room.run(lambda works=works: self._commit(works))  # type: ignore[misc]
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
        self._check()
        with self._engine.begin() as connection:
            self._guard(connection)
            return [_apart(connection, work) for work in works]


def _apart(connection: sa.Connection, work: Work) -> Any:
    """What it returns, or the error with which it alone was rolled back."""
    sqlite = connection.connection.driver_connection  # SQLAlchemy's savepoint takes as long as three queries
    assert isinstance(sqlite, sqlite3.Connection)
    sqlite.execute("SAVEPOINT work")
    try:
        result = work(connection)
        sqlite.execute("RELEASE work")
        return result
    except Exception as error:
        try:
            sqlite.execute("ROLLBACK TO work")
            sqlite.execute("RELEASE work")
        except sqlite3.Error:  # the transaction is gone: disk full, I/O error
            raise error from None  # the cause, to everybody: nobody is told "yes"
        return error


class OneByOne:
    """Several threads, each with a transaction for one work; what passes is done again.

    A work may therefore run more than once, and its transaction may have been committed although the answer
    was lost: it must be repeatable, and must change nothing but the database.
    """

    def __init__(
        self,
        engine: sa.Engine,
        threads: int,
        guard: Callable[[sa.Connection], None],
        patient: Callable[[], bool],
    ) -> None:
        self._engine, self._guard, self._patient = engine, guard, patient
        self._room = Room("db-writer", threads)

    async def write(self, work: Callable[[sa.Connection], R]) -> R:
        return await unless_silent(self._room.run(lambda: self._repeated(work)))

    async def alone(self, work: Callable[[], R]) -> R:
        return await self._room.run(work)

    async def close(self) -> None:
        """Waits for what is being written."""
        await asyncio.to_thread(self._room.close)

    def _repeated(self, work: Callable[[sa.Connection], R]) -> R:
        # In an outage each has one try: else those that wait would wait for each other's patience.
        return repeated(lambda: self._transact(work)) if self._patient() else self._transact(work)

    def _transact(self, work: Callable[[sa.Connection], R]) -> R:
        with self._engine.begin() as connection:
            self._guard(connection)
            return work(connection)


def repeated(work: Callable[[], R]) -> R:
    """Do it, and again where it was in somebody's way. Raises the last error."""
    return _trying(work)


_trying = tenacity.Retrying(
    retry=tenacity.retry_if_exception(passes),
    stop=tenacity.stop_after_attempt(TRIES) | tenacity.stop_after_delay(PATIENCE),
    wait=tenacity.wait_random_exponential(multiplier=0.02, max=LONGEST_PAUSE),
    reraise=True,
)


async def unless_silent(answer: "asyncio.Future[R] | Any") -> R:
    """The thread goes on waiting, and may still commit."""
    try:
        async with asyncio.timeout(SILENT):
            result: R = await answer
            return result
    except TimeoutError:
        raise DatabaseSilent(f"no answer within {SILENT:g} s") from None

"""What this node has in hand: it says so to the others, again and again, for as long as the calls last.

Knows leases. A call may last longer than one, where a wiki drips; a node that is killed says nothing more,
and what it held is claimed by another within LEASE and a second.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime

import structlog

from sidecar.storage import claims
from sidecar.storage.database import Database
from sidecar.storage.outbox import Owed
from sidecar.telemetry import report

__all__ = ["Hands"]

log = structlog.get_logger()

EVERY = claims.LEASE.total_seconds() / 3  # seconds; two may be late


class Hands:
    """The calls that are under way."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._db, self._clock = database, clock
        self._held: dict[int, Owed] = {}

    @contextlib.contextmanager
    def holding(self, owed: Owed) -> Iterator[None]:
        """Its call, and what is written of the answer, last as long as the context."""
        self._held[owed.id] = owed
        try:
            yield
        finally:
            self._held.pop(owed.id, None)

    @contextlib.asynccontextmanager
    async def saying_so(self) -> AsyncIterator[None]:
        """While the context lasts, what is held stays ours."""
        task = asyncio.create_task(self._run(), name="leases")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def step(self) -> None:
        """Say it once."""
        held, until = list(self._held.values()), self._clock() + claims.LEASE
        if held:
            await self._db.write(lambda connection: claims.keep(connection, held, until))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.step()
            except Exception as error:  # the leases may end: then the wiki is asked twice, and compares
                report(log, "leases not renewed", error)

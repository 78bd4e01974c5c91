"""What tests of two nodes share: a work that stops before its end, and how to wait for one that waits."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.storage import actions, claims
from sidecar.storage.actions import Entry
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database
from sidecar.storage.outbox import Owed
from tests.support.database_server import DatabaseServer
from tests.support.waiting import until

from .rows import DAY, T0

SECOND = timedelta(seconds=1)
PATIENCE = 20.0  # seconds
ENFORCE = Policy(Streak(2, DAY), Mode.ENFORCE)


@dataclass
class Halfway:
    """A work that stops before its end, with all its locks and nothing committed, until it is let on."""

    database: Database
    work: Callable[[sa.Connection], object]

    async def __aenter__(self) -> "Halfway":
        self._there, self._on = threading.Event(), threading.Event()

        def stop(connection: sa.Connection) -> object:
            done = self.work(connection)
            self._there.set()
            assert self._on.wait(PATIENCE)
            return done

        self._task = asyncio.create_task(self.database.write(stop))
        await asyncio.to_thread(self._there.wait, PATIENCE)
        return self

    async def finish(self) -> object:
        """Commits."""
        self._on.set()
        return await self._task

    async def __aexit__(self, *_exception: object) -> None:
        await self.finish()


async def waits(task: "asyncio.Task[Any]", server: DatabaseServer) -> None:
    """Until the server says that somebody waits for a lock."""
    await asyncio.to_thread(until, lambda: task.done() or server.waiting(), "somebody who waits for a lock")
    assert not task.done(), "it did not wait"


async def entry(database: Database, action_id: int) -> Entry:
    [found] = [one for one in await database.read(actions.entries) if one.id == action_id]
    return found


def claim(connection: sa.Connection) -> Owed | None:
    return claims.claim(connection, T0, T0 + LEASE, ())

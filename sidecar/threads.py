"""Rooms: a blocking library gets a room of its own, with one door.

Knows threads. Does not know what happens inside. Cancelling whoever waits at the door does not stop the
thread: what runs in a room must be safe to have finished unheard.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["NoThread", "Room"]

R = TypeVar("R")


class NoThread(Exception):
    """The host gives us no more threads: look at the unit's TasksMax, and at the host's memory."""


class _Order:
    """A work that may be called off until it is begun."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work, self.called_off = work, False

    def __call__(self) -> Any:
        return None if self.called_off else self._work()


class Room:
    """Keeps objects that belong to one thread (requests' sessions, SQLite's writer) in one place."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[], R]) -> R:
        """What *work* returns or raises. Raises NoThread if the host gives us none: then it is not done."""
        order = _Order(work)
        try:
            done = asyncio.get_running_loop().run_in_executor(self._pool, order)
        except RuntimeError as error:
            order.called_off = True  # the pool keeps it in its queue, and a later thread would find it there
            raise NoThread(str(error)) from error
        result: R = await done
        return result

    def close(self) -> None:
        """Waits for whoever is inside."""
        self._pool.shutdown(wait=True)

"""Rooms: a blocking library gets a room of its own, with one door.

Knows threads. Does not know what happens inside. Cancelling whoever waits at the door does not stop the
thread: what runs in a room must be safe to have finished unheard.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Room"]

R = TypeVar("R")


class Room:
    """Keeps objects that belong to one thread (requests' sessions, SQLite's writer) in one place."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Waits for whoever is inside."""
        self._pool.shutdown(wait=True)

"""An event loop in a thread of its own, for servers that must answer while a test blocks.

Knows how to start, to call and to end. Does not know what runs on the loop.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.support.waiting import PATIENCE

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """Started when made."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._servers: list[asyncio.AbstractServer] = []
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* on the loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def serve(self, starting: Coroutine[Any, Any, asyncio.AbstractServer]) -> None:
        """Start a server that listens until the thread ends."""
        self._servers.append(self.call(starting))

    def end(self) -> None:
        """Stop listening, cut what still runs, close the loop."""
        self.call(self._cut())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    async def _cut(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

"""Beside the way of the mail: once a second, later after trouble, and once more at the end.

Knows the beat, and how what waits is handed over. Does not know what it is.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sized
from itertools import islice
from typing import TypeVar

import structlog

from sidecar.telemetry import report

__all__ = ["Beat", "hand_over"]

log = structlog.get_logger()

T = TypeVar("T")

SECOND = 1.0
PAUSE = 10.0  # seconds after trouble


class Beat:
    """A step a second until ``stop``. What fails is logged as *failed*, with how much is *waiting*."""

    def __init__(self, failed: str, waiting: Sized) -> None:
        self._failed, self._waiting = failed, waiting
        self._stop = asyncio.Event()

    async def run(self, step: Callable[[], Awaitable[object]], last: Callable[[], Awaitable[object]]) -> None:
        """Until ``stop``, and then *last*, whose failure is nobody's concern any more."""
        while not self._stop.is_set():
            pause = SECOND
            try:
                await step()
            except Exception as error:
                report(log, self._failed, error, waiting=len(self._waiting))
                pause = PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
        with contextlib.suppress(Exception):
            await last()

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stop.set()


async def hand_over(waiting: deque[T], most: int, take: Callable[[list[T]], Awaitable[object]]) -> int:
    """All that waits, so many at a time; how many. What could not be handed over waits on."""
    handed = 0
    while first := list(islice(waiting, most)):
        await take(first)
        for _ in first:
            waiting.popleft()
        handed += len(first)
    return handed

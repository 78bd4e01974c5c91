"""Round after round, for as long as the daemon lives: one that fails is logged, and the next one comes.

Knows when. Does not know what a round does.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from sidecar.telemetry import report

__all__ = ["rounds"]

log = structlog.get_logger()


async def rounds(
    failed: str, work: Callable[[], Awaitable[object]], every: float, stopping: asyncio.Event | None = None
) -> None:
    """Do *work* at once, and again *every* so many seconds after it is done; until *stopping*, or for ever.

    What it raises is logged as *failed*.
    """
    stopping = stopping or asyncio.Event()
    while not stopping.is_set():
        try:
            await work()
        except Exception as error:
            report(log, failed, error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every)

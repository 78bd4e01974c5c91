"""The daemon in this process, with what it says in its log.

Knows how it is started and ended. Does not know what is tested.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable

import structlog

from sidecar import daemon
from sidecar.configuration.configured import Config

__all__ = ["Lines", "said", "serving", "until"]

Lines = list[structlog.typing.EventDict]
PATIENCE = 20.0  # seconds for what should happen at once


@contextlib.asynccontextmanager
async def serving(config: Config, world: daemon.World) -> AsyncIterator[Lines]:
    """The daemon, and its log; ended by SIGTERM."""
    ready = asyncio.Event()
    with structlog.testing.capture_logs() as lines:
        running = asyncio.create_task(daemon.run(config, world=world, ready=ready.set))
        await asyncio.wait({running, asyncio.ensure_future(ready.wait())}, return_when="FIRST_COMPLETED")
        assert not running.done(), running.exception()
        try:
            yield lines
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(running, PATIENCE)


async def until(look: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until *look* is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.01)


def said(lines: Lines, event: str) -> Lines:
    """The lines of one event, as they are logged unless debug is wanted."""
    return [line for line in lines if line["event"] == event and line["log_level"] != "debug"]

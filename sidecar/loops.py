"""What runs beside the doors: each loop is a task for as long as the daemon lives; none ends by itself.

Knows tasks, what turns them, and who is told that we serve. Does not know what any loop does.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import structlog
import uvloop

from sidecar.edges.service_manager import ServiceManager

__all__ = ["Loop", "loop", "run", "until"]

log = structlog.get_logger()

Loop = contextlib.AbstractAsyncContextManager["asyncio.Task[None]"]


def run(main: Coroutine[Any, Any, None]) -> None:
    """What asyncio.run does, by libuv, in which a door's answer costs less."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


@contextlib.asynccontextmanager
async def loop(
    name: str, work: Callable[[], Coroutine[Any, Any, None]], end: Callable[[], None] | None = None
) -> AsyncIterator["asyncio.Task[None]"]:
    """A task for as long as the context lasts: ended by *end* if there is one, else cancelled."""
    task = asyncio.create_task(work(), name=name)
    try:
        yield task
    finally:
        if end:
            end()
        else:
            task.cancel()
        await asyncio.wait({task})


async def until(stop: asyncio.Event, loops: "set[asyncio.Task[None]]", manager: ServiceManager) -> None:
    """Serve until *stop* is set. Raises whatever ended a loop that should not end."""
    manager.tell("READY=1")
    stopped = asyncio.create_task(stop.wait(), name="stop")
    try:
        ended, _ = await asyncio.wait({stopped, *loops}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
    log.info("stopping")
    manager.tell("STOPPING=1")
    for task in ended:
        task.result()  # a loop that ended by itself ends the daemon: the service manager starts a new one

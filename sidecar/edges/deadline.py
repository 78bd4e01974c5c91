"""A deadline that moves with each packet of a connection.

Knows the event loop's clock. Does not know what is waited for.
"""

import asyncio
from collections.abc import Callable

__all__ = ["Deadline"]


class Deadline:
    """Calls `act` once when nobody moved it away in time.

    To move it later is one assignment: the timer that runs is left alone and looks again when it fires.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
        self._loop, self._act = loop, act
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> None:
        """From now on."""
        self._due = due = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._look)
        elif self._timer.when() > due:
            self._timer.cancel()
            self._timer = self._loop.call_at(due, self._look)

    def off(self) -> None:
        """Nothing is due."""
        self._due = None

    def stop(self) -> None:
        """Nothing will ever be due; lets go of everything."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._look)
        else:
            self._due = None
            self._act()

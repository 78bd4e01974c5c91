"""Busy polling: for a moment after an answer, the event loop looks for the next question and does not sleep.

To be woken takes longer than to answer; whoever asks, waits and asks again waits for both. Knows the loop.
Does not know what is asked.
"""

import asyncio
import time

__all__ = ["BusyPoll"]


class BusyPoll:
    """Costs a processor for at most *seconds* after each answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop, self._seconds = loop, seconds
        self._until = 0.0  # of time.perf_counter
        self._is_on = False

    def begin(self, now: float) -> None:
        """From *now*, time.perf_counter's, or from now on anew."""
        self._until = now + self._seconds
        if not self._is_on:
            self._is_on = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """A loop with something to call does not sleep."""
        self._is_on = time.perf_counter() < self._until
        if self._is_on:
            self._loop.call_soon(self._turn)

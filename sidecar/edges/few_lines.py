"""Lines of the log that a stranger can cause: a few a minute, and then how many there were.

Knows how much a journal should bear. Does not know what a line says.
"""

import time
from collections.abc import Callable

__all__ = ["FewLines"]

TOLD = 20  # lines a lap
LAP = 60.0  # seconds


class FewLines:
    """For one kind of line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began, self._seen = clock(), 0

    def say(self, write: Callable[..., object], event: str, **facts: object) -> None:
        """Written, unless there were enough lately; the first of a new lap says how many were left out."""
        now = self._clock()
        if now - self._began >= LAP:
            left_out, self._began, self._seen = max(0, self._seen - TOLD), now, 0
            facts |= {"left_out": left_out} if left_out else {}
        self._seen += 1
        if self._seen <= TOLD:
            write(event, **facts)

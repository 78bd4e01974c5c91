"""The soak's clock: ten minutes of it are two months.

Knows how it jumps. Does not know who goes by it: the daemon does, and whoever makes its mails.
"""

import time
from datetime import datetime, timedelta

__all__ = ["DAY", "JUMP", "STEP", "JumpingClock"]

JUMP = timedelta(hours=6)
STEP = 2.5  # seconds from one jump to the next
DAY = STEP * (timedelta(days=1) / JUMP)  # seconds that a day lasts


class JumpingClock:
    """Goes as fast as any, and jumps. *began*: on the monotonic clock, which all processes share."""

    def __init__(self, start: datetime, began: float) -> None:
        self._start, self._began = start, began

    def __call__(self) -> datetime:
        passed = time.monotonic() - self._began
        return self._start + int(passed / STEP) * JUMP + timedelta(seconds=passed)

"""Waiting for a condition instead of for a time.

Knows how long a test is willing to wait. Does not know what for.
"""

import re
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["said", "until"]

PATIENCE = 60.0  # seconds; everything in the tests is on loopback, but the machine may be busy
STEP = 0.01  # seconds between two looks

T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = PATIENCE, step: float = STEP) -> T:
    """The first true value that *look* returns; raises TimeoutError naming *what* after *seconds*.

    *step*: seconds between two looks, more where looking itself is work.
    """
    end = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(step)
    return seen


def said(log: Callable[[], str], pattern: str, times: int = 1, seconds: float = PATIENCE) -> None:
    """Wait until a regular expression is found in *log*, so many *times*; TimeoutError has the log in it."""
    try:
        until(lambda: len(re.findall(pattern, log())) >= times, f"{pattern!r} in the log", seconds)
    except TimeoutError as late:
        late.add_note(log())
        raise

"""An end to a check that does not come to one by itself, or breaks.

Knows the interval timer of the process, which only the main thread may use: elsewhere there is no end.
"""

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sidecar.domain.finding import Finding, unknown

__all__ = ["TookTooLong", "broken", "within"]


class TookTooLong(Exception):
    """Somebody did not answer, and did not hang up either."""


def broken(error: BaseException) -> Finding:
    """A mistake of ours: its place, not its words, which may hold anything."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = f"the check broke: {type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
    return unknown(said, "report it, with this line")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises TookTooLong in the midst of whatever lasts longer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise TookTooLong(f"no end within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

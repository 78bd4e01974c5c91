"""An end to a check that does not come to one by itself.

Knows the interval timer of the process, which only the main thread may use: elsewhere there is no end.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["TookTooLong", "within"]


class TookTooLong(Exception):
    """Somebody did not answer, and did not hang up either."""


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

"""A promise that broke, and the end of what does not end by itself: for all that tries hostile octets.

Knows time on a processor. Does not know what is tried.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Broken", "interrupted"]


class Broken(AssertionError):
    """A promise does not hold; the message names it."""


class _Endless(BaseException):
    """No Exception, so that no ``except Exception`` swallows it."""


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """Raises Broken in the midst of what takes more *seconds* of a processor. For a main thread."""

    def endless(*_: object) -> None:
        raise _Endless

    before = signal.signal(signal.SIGPROF, endless)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except _Endless:
        raise Broken(f"no end after {seconds:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)

"""What ties another process of ours to this one: it hears no word that is meant for the first, ends with it,
and shares its cores.

Knows signals, and how a process ends at once. Does not know how it is started, nor what it works at.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

__all__ = ["cores", "deaf", "end_after"]


def cores() -> int:
    """How many this process may use, and what it starts."""
    return len(os.sched_getaffinity(0))


@contextmanager
def deaf(*signals: int) -> Iterator[None]:
    """Whoever is started meanwhile never hears these, nor Ctrl-C: a terminal tells all, and the first process
    ends the others."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *signals})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_after(wait: Callable[[], object]) -> None:
    """End this process when *wait*, which blocks until the first one is gone, returns: whoever was killed
    tells nobody to end."""

    def end() -> None:
        wait()
        os._exit(1)

    Thread(target=end, daemon=True).start()

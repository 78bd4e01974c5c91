"""A crew: the same work done to many things by several processes, the answers in the order of the things.

Knows processes. Does not know the work, which is pure and can be pickled, as what goes in and what comes out.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import Any, Generic, TypeVar

from sidecar.processes.ties import deaf, end_after
from sidecar.telemetry import Tellable

__all__ = ["Crew", "HandLost"]

W = TypeVar("W")
T = TypeVar("T")
R = TypeVar("R")

LOAD = 32  # things that are handed to a process at once: what is said beside the work weighs a tenth of it
AHEAD = 4  # loads for each process that wait or are done before their turn: some MB of mail


class HandLost(Tellable):
    """One of several processes was killed; the kernel does so where memory is short. Have fewer of them."""


class Crew(Generic[W]):
    """So many *hands*, each with a copy of the *worker*; with one of them all is done here.

    To be closed, also when anything was raised. *prepare* is called first in every other process.
    """

    def __init__(self, hands: int, worker: W, prepare: Callable[[], None] | None = None) -> None:
        self._hands, self._worker = hands, worker
        self._pool: ProcessPoolExecutor | None = None
        if hands > 1:
            # Not forked: a copy of a process with threads may wait for ever for a lock that one of them held.
            self._pool = ProcessPoolExecutor(hands, get_context("spawn"), _begin, (worker, prepare))

    def do(self, work: Callable[[W, T], R], things: Iterable[T]) -> Iterator[R]:
        """What *work*, a method of the worker's class, makes of each, in their order.

        Raises what it raises, or HandLost.
        """
        if self._pool is None:
            yield from (work(self._worker, thing) for thing in things)
            return
        waiting: deque[Future[list[R]]] = deque()
        each = iter(things)
        try:
            while load := list(islice(each, LOAD)):
                with deaf():
                    waiting.append(self._pool.submit(_all, work, load))
                if len(waiting) > AHEAD * self._hands:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool:
            raise HandLost(
                "a process that worked for this one was killed; is memory short? Say it again, with fewer "
                "--processes: what was done stays done, and counts once"
            ) from None

    def close(self) -> None:
        """What has not begun is left."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)


_workers: list[Any] = []  #: of this process, if it is one of a crew's


def _begin(worker: object, prepare: Callable[[], None] | None) -> None:
    if first := parent_process():
        end_after(first.join)
    if prepare:
        prepare()
    _workers.append(worker)


def _all(work: Callable[[Any, Any], R], load: list[Any]) -> list[R]:
    return [work(_workers[0], thing) for thing in load]

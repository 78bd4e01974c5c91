"""A hand: another process that does one kind of work for this one's event loop, one thing after the other.

An answer says which question it is to. Whatever goes wrong on the way, memory being short, nobody gets the
answer to another's: the hand is lost then.

Knows the process, and frames to and from it (hand_work.py is its side). Does not know the work, which is pure
and can be pickled, as what goes in and what comes out; nor what is done instead when a hand is lost.
"""

import asyncio
import pickle
from collections import deque
from typing import Any, Self

from sidecar.processes import hand_work
from sidecar.processes.child import Child
from sidecar.processes.hand_work import NUMBER

__all__ = ["Hand", "Lost"]

PATIENCE = 5.0  # seconds for one thing; what takes milliseconds and is not done by then hangs
START = 60.0  # seconds until it is ready; on a busy machine it takes some two


class Lost(Exception):
    """It ended, was killed, or hangs and was killed: what it was asked is to be done by others."""


class Hand:
    """One process with a copy of a worker. It ends with this process, or by ``end``.

    Answers come in the order of the questions.
    """

    _child: Child

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._asked = self._answered = 0  #: the number of the last question, and of the last answer
        self._lost = False

    @classmethod
    async def begin(cls, worker: bytes, *, patience: float = PATIENCE) -> Self:
        """Returns when it is ready. *worker* is what pickle makes of a function.

        Raises OSError or Lost if there can be none.
        """
        hand = cls()
        hand._child = await Child.begin(hand_work.__name__, hear=hand._hear, lost=hand._leave)
        try:
            async with asyncio.timeout(START):
                await hand._ask(worker)
        except BaseException as error:
            hand.close()
            if isinstance(error, TimeoutError):
                raise Lost from None
            raise
        hand._child.watch(patience, lambda: bool(hand._waiting))
        return hand

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def waiting(self) -> int:
        """How much it was asked and has not answered."""
        return len(self._waiting)

    async def do(self, thing: object) -> Any:
        """What the worker makes of it; None if it raised. Raises Lost."""
        answer = await self._ask(pickle.dumps(thing))
        return pickle.loads(answer) if answer else None  # of our own child alone

    def end(self) -> None:
        """At once, whatever it does. Repeatable."""
        self._child.end()

    def close(self) -> None:
        """``end``, and wait until it is gone, which takes a moment."""
        self._child.close()

    def _ask(self, what: bytes) -> "asyncio.Future[bytes]":
        if self._lost:
            raise Lost
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            self._asked += 1
            self._child.say(self._asked.to_bytes(NUMBER, "big") + what)
            self._waiting.append(answer)
        except BaseException:
            self._child.end()
            raise
        return answer

    def _hear(self, said: bytes) -> None:
        self._answered += 1
        if int.from_bytes(said[:NUMBER], "big") != self._answered or not self._waiting:
            self._child.end()
            return
        answer = self._waiting.popleft()
        if not answer.done():
            answer.set_result(said[NUMBER:])

    def _leave(self) -> None:
        self._lost = True
        while self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(Lost())

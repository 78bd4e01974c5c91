"""A hand: another process that does one kind of work for this one's event loop, one thing after the other.

Knows the process, and frames to and from it (hand_work.py is its side). Does not know the work, which is pure
and can be pickled, as what goes in and what comes out; nor what is done instead when a hand is lost.
"""

import asyncio
import pickle
import signal
import socket
import subprocess
from collections import deque
from typing import Any, Self, cast

from sidecar.processes import hand_work
from sidecar.processes.apart import command_for
from sidecar.processes.frames import Frames, framed
from sidecar.processes.ties import deaf

__all__ = ["Hand", "Lost"]

PATIENCE = 5.0  # seconds for one thing; what takes milliseconds and is not done by then hangs
START = 60.0  # seconds until it is ready; on a busy machine it takes some two
MOMENT = 0.05  # seconds
LOOK = 1.0  # second between two looks whether it hangs


class Lost(Exception):
    """It ended, was killed, or hangs and was killed: what it was asked is to be done by others."""


class Hand(asyncio.Protocol):
    """One process with a copy of a worker. It ends with this process, or by ``end``.

    Answers come in the order of the questions. It hears no signal that a terminal or a service manager gives
    to all of them.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", patience: float) -> None:
        self._process, self._patience = process, patience
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._since = self._loop.time()  # when it began with what it is at
        self._transport: asyncio.Transport | None = None
        self._lost = False

    @classmethod
    async def begin(cls, worker: bytes, *, patience: float = PATIENCE) -> Self:
        """Returns when it is ready. *worker* is what pickle makes of a function.

        Raises OSError or Lost if there can be none.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            hand = cls(_started(theirs), patience)
            theirs.close()  # whose last holder's end is heard here
            try:
                await hand._loop.create_connection(lambda: hand, sock=ours.dup())
                async with asyncio.timeout(START):
                    await hand._ask(worker)
            except BaseException as error:
                hand.close()
                if isinstance(error, TimeoutError):
                    raise Lost from None
                raise
        hand._look()
        return hand

    @property
    def pid(self) -> int:
        return self._process.pid

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
        self._leave()
        if self._transport:
            self._transport.abort()

    def close(self) -> None:
        """``end``, and wait until it is gone, which takes a moment."""
        self.end()
        self._process.wait()

    def _ask(self, what: bytes) -> "asyncio.Future[bytes]":
        if self._lost or not self._transport:
            raise Lost
        if not self._waiting:
            self._since = self._loop.time()
        answer = self._loop.create_future()
        self._waiting.append(answer)
        self._transport.write(framed(what))
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._since = self._loop.time()
        for said in self._frames.feed(data):
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_result(said)

    def connection_lost(self, _: Exception | None) -> None:
        self._leave()

    def _leave(self) -> None:
        if not self._lost:
            self._lost = True
            self._process.kill()
            self._bury()
        while self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(Lost())

    def _look(self) -> None:
        """Whether it hangs."""
        if self._lost:
            return
        if self._waiting and self._loop.time() - self._since > self._patience:
            self.end()
            return
        self._loop.call_later(LOOK, self._look)

    def _bury(self) -> None:
        """What was killed is gone in a moment, and nobody waits for it."""
        if self._process.poll() is None:
            self._loop.call_later(MOMENT, self._bury)


def _started(channel: socket.socket) -> "subprocess.Popen[bytes]":
    number, pipe, nowhere = channel.fileno(), subprocess.PIPE, subprocess.DEVNULL
    command = command_for(hand_work.__name__, str(number))
    with deaf(signal.SIGTERM, signal.SIGHUP):
        return subprocess.Popen(command, stdin=pipe, stdout=nowhere, pass_fds=(number,))

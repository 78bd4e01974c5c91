"""A child: another process of ours that works for this one's event loop.

Knows how it is started, ends and hangs. Does not know what it works at, nor what the frames say that go to
and fro.
"""

import asyncio
import signal
import socket
import subprocess
from collections.abc import Callable
from typing import Self

from sidecar.processes.apart import command_for
from sidecar.processes.ties import deaf
from sidecar.processes.wire import Wire

__all__ = ["Child"]

MOMENT = 0.05  # seconds
LOOK = 1.0  # second between two looks whether it hangs


class Child:
    """One process. It ends with this one, or by ``end``, or when it hangs; it hears no signal but the one
    that cannot be missed.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", lost: Callable[[], None]) -> None:
        self._process, self._tell_lost = process, lost
        self._wire: Wire | None = None
        self._lost = False
        self._gone = asyncio.Event()
        self._silent = 0  # looks since it said something, or since nobody expects it to
        self.hung = False  #: which is why it was ended

    @classmethod
    async def begin(
        cls, module: str, *passed: socket.socket, hear: Callable[[bytes], None], lost: Callable[[], None]
    ) -> Self:
        """Its standard input says nothing, and ends with us: for end_after, which its main calls first.

        *module*'s main is called with the numbers of its end of the wire and of the sockets that are
        *passed*. *hear* is called with what each frame from it holds; *lost* once, whatever ends it.
        Raises OSError if there can be none.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                child = cls(_started(module, theirs, *passed), lost)
            except BaseException:
                ours.close()
                raise
        try:
            child._wire = await Wire.over(ours, lambda said: child._heard(said, hear), child._leave)
        except BaseException:
            ours.close()
            child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, what: bytes) -> None:
        """Neither blocks nor waits; to who has ended it says nothing."""
        if self._wire and not self._lost:
            self._wire.say(what)

    def unheard(self) -> int:
        """Octets that it has not taken yet."""
        return self._wire.unheard() if self._wire and not self._lost else 0

    def watch(self, patience: float, expected: Callable[[], bool] = lambda: True) -> None:
        """From now on, end it if it says nothing for *patience* seconds in which something is *expected*.

        Counted in looks, and not by the clock: when it was us who stood still, nobody hung.
        """
        if self._lost:
            return
        self._silent = self._silent + 1 if expected() else 0
        if (self._silent - 1) * LOOK > patience:
            self.hung = True
            self.end()
        else:
            asyncio.get_running_loop().call_later(LOOK, self.watch, patience, expected)

    def end(self) -> None:
        """At once, whatever it does. Repeatable."""
        self._leave()
        if self._wire:
            self._wire.abort()

    async def gone(self) -> int:
        """Waits until it has ended; how it did: an exit code, or a signal's number below zero."""
        await self._gone.wait()
        return int(self._process.returncode)

    def close(self) -> None:
        """``end``, and block until it is gone, which takes a moment."""
        self.end()
        self._process.wait()

    def _heard(self, said: bytes, hear: Callable[[bytes], None]) -> None:
        self._silent = 0
        hear(said)

    def _leave(self) -> None:
        if self._lost:
            return
        self._lost = True
        self._process.kill()
        if self._process.stdin:
            self._process.stdin.close()
        self._bury()
        self._tell_lost()

    def _bury(self) -> None:
        """What was killed is gone in a moment, and nobody waits for it."""
        if self._process.poll() is None:
            asyncio.get_running_loop().call_later(MOMENT, self._bury)
        else:
            self._gone.set()


def _started(module: str, *sockets: socket.socket) -> "subprocess.Popen[bytes]":
    numbers = [one.fileno() for one in sockets]
    command = command_for(module, " ".join(map(str, numbers)))
    with deaf(signal.SIGTERM, signal.SIGHUP):
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=numbers)

"""A Unix socket on which peers ask and are answered at once, many times on one connection.

Knows connections: how many, how long they may be idle, and peers that do not read. Does not know what is
spoken (socketmap.py, policy_delegation.py), nor what is asked. No task, no lock and no file on the way.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import structlog

from sidecar.edges.busy_poll import BusyPoll
from sidecar.edges.deadline import Deadline
from sidecar.edges.few_lines import FewLines
from sidecar.edges.room import SPARE, idlest
from sidecar.edges.unix_socket import MODE, UnixSocket
from sidecar.telemetry import Door

__all__ = ["Dialogue", "Limits", "QuerySocket"]

BACKLOG = 1024  # connections not yet accepted; each web request that mails may open one, within 50 ms

TURNS = 5  # of the event loop, until who was accepted just now is among the connections: three to accept
HEARING = 250  # milliseconds at the end for a first question; whoever connects asks at once

log = structlog.get_logger()


class Dialogue(Protocol):
    """The server's side of one connection, without a socket."""

    closed: bool  #: the caller sends what it was given and hangs up

    def receive(self, data: bytes) -> bytes:
        """The answers to all questions that are complete, in their order. Does not raise."""
        ...


@dataclass(frozen=True)
class Limits:
    """What one peer may cost."""

    idle: float = 600.0  #: seconds; PHP and Postfix keep connections, and Postfix closes its own sooner
    write: float = 10.0  #: seconds that a peer may leave answers unread
    spare: float = SPARE  #: seconds for which a peer may ask nothing when others have no room
    connections: int = 500  #: at once; half of the usual 1024 file descriptors


class QuerySocket:
    """Each connection begins a new dialogue; one too many takes an idler's place, or hears *busy*."""

    def __init__(
        self,
        dialogue: Callable[[], Dialogue],
        busy: bytes,
        door: Door,
        *,
        limits: Limits | None = None,
        busy_poll: BusyPoll | None = None,  #: for a single peer's next question
    ) -> None:
        self.dialogue, self.busy = dialogue, busy
        self.busy_poll = busy_poll
        self.took, self.turned_away = door.lookups().observe, door.turned_away.inc
        self.limits = limits or Limits()
        self.room = self.limits.connections  #: that may be open at once; none when we close
        self.connections: set[_Connection] = set()
        door.open.set_function(lambda: len(self.connections))
        self._few = FewLines()
        self._socket: UnixSocket | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, path: Path, *, mode: int = MODE, group: str | None = None) -> None:
        """Serve from now on. Raises CannotListen."""
        await self.serve(UnixSocket.open(path, mode=mode, group=group, backlog=BACKLOG))

    async def serve(self, socket: UnixSocket) -> None:
        """The same on a socket that is open already."""
        self._socket = socket
        self._server = await socket.serve(lambda: _Connection(self))

    def has_room(self) -> bool:
        """For one more; who has asked nothing for longest is hung up on for it."""
        if len(self.connections) < self.room:
            return True
        self.turned_away()
        self._few.say(log.warning, "too many connections", limit=self.room)
        long_ago = time.perf_counter() - self.limits.spare
        idler = idlest(self.connections, lambda one: one.waiting_since, long_ago)
        if idler is None or not self.room:
            return False
        self.connections.discard(idler)
        idler.give_up()
        return True

    async def close(self) -> None:
        """Stop listening and hang up on all who have been answered. Repeatable."""
        if self._server is not None and self._socket is not None:
            self._socket.remove()
            await _turn()  # who has connected already is accepted still
            self._socket.stop_accepting()
            await _turn()
            self._server.close()  # for uvloop, the end of accepting
            await self._hear_all()
        self.room = 0
        for connection in tuple(self.connections):
            connection.hang_up()
        await asyncio.sleep(0)  # the transports close on the loop's next turn

    async def _hear_all(self) -> None:
        """A connection that was accepted is no longer in the queue that a successor would find."""
        await _turn()
        for _ in range(HEARING):
            if all(one.heard for one in self.connections):
                return
            await asyncio.sleep(0.001)


async def _turn() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """A peer that half-closes gets its answers still: the loop closes when they are sent."""

    def __init__(self, server: QuerySocket) -> None:
        self._server, self._limits = server, server.limits
        self._dialogue = server.dialogue()
        self.waiting_since = time.perf_counter()  #: for a question
        self.heard = False  #: and answered, once or more often
        self._deadline = Deadline(asyncio.get_running_loop(), self.give_up)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._server.has_room():
            self._transport.write(self._server.busy)
            self._transport.close()
            return
        self._server.connections.add(self)
        self._deadline.within(self._limits.idle)

    def data_received(self, data: bytes) -> None:
        self._deadline.within(self._limits.idle)
        began = time.perf_counter()
        if answer := self._dialogue.receive(data):
            self._transport.write(answer)
            self.heard = True
            self.waiting_since = time.perf_counter()
            self._server.took(self.waiting_since - began)
            if (busy_poll := self._server.busy_poll) and len(self._server.connections) == 1:
                busy_poll.begin(self.waiting_since)
        if self._dialogue.closed:
            self.hang_up()

    def pause_writing(self) -> None:
        self._transport.pause_reading()
        self._deadline.within(self._limits.write)

    def resume_writing(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._deadline.within(self._limits.idle)

    def connection_lost(self, _: Exception | None) -> None:
        self._deadline.stop()
        self._server.connections.discard(self)

    def hang_up(self) -> None:
        """Once the answers are read."""
        self._transport.close()
        self._deadline.within(self._limits.write)

    def give_up(self) -> None:
        """Idle, or a peer that does not read: its answers are lost, and it may ask again."""
        self._transport.abort()

"""One HTTP connection on the event loop, around aiohttp's own.

Knows how long a peer may take for a request's header, and how many may come. Does not know HTTP: aiohttp's
RequestHandler does; it has no deadline for the first header, hence this.
"""

import asyncio
from typing import Protocol, cast

from sidecar.edges.deadline import Deadline

__all__ = ["Connection", "House"]


class House(Protocol):
    """What a connection tells its server."""

    def admit(self, connection: "Connection") -> bytes | None:
        """What is written to turn it away; None if it may stay."""
        ...

    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """Hands everything to *inner*, unless the peer is idle for too long."""

    def __init__(self, house: House, inner: asyncio.Protocol, *, idle: float) -> None:
        self.inner = inner
        self._house, self._idle = house, idle
        self._deadline = Deadline(asyncio.get_running_loop(), self.abort)
        self._admitted = self._working = self._leaving = False
        self.resting: float | None = None  #: since when, by the loop's clock; None while a request is at work
        self.reading: tuple[float, int] | None = None  #: since when a body is sent to us, and octets of it
        self._unread = False  # more of our answers than the system keeps for the peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if (refusal := self._house.admit(self)) is not None:
            self._transport.write(refusal)
            self._transport.close()
            return
        self._admitted = True
        self.rests()
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._admitted:
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received() if self._admitted else None

    def pause_writing(self) -> None:
        self._unread = True
        self._deadline.within(self._idle)
        if self._admitted:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        self._unread = False
        if self._working:
            self._deadline.off()
        if self._admitted:
            self.inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._deadline.stop()
        if self._admitted:
            self._admitted = False
            self.inner.connection_lost(error)
            self._house.lost(self)

    def works(self) -> None:
        """A request's header is here; from now on its endpoint decides how long things take, unless the peer
        leaves answers unread: only its reading would go on with what is at work."""
        self._working, self.resting = True, None
        if not self._unread:
            self._deadline.off()

    def reads(self, since: float, octets: int) -> None:
        """So much has come of a request's body, for which we wait."""
        self.reading = since, octets

    def has_read(self) -> None:
        """All of the body, or nobody waits for it any more."""
        self.reading = None

    def rests(self) -> None:
        """The answer is written. The peer has to read it, and to send the next header, in time."""
        self._working, self.resting = False, asyncio.get_running_loop().time()
        if not self._transport.is_closing():
            self._deadline.within(self._idle)
        if self._leaving:
            self._transport.close()

    def leave(self) -> None:
        """Hang up, behind the answer to what is at work."""
        self._leaving = True
        if not self._working:
            self._transport.close()

    def abort(self) -> None:
        """Hang up without a word."""
        self._transport.abort()

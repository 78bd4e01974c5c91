"""One LMTP connection on the event loop.

Knows when to read, when to write and when to stop waiting. Does not know what the octets mean (lmtp.py) or
who takes a delivery (lmtp_server.py).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import structlog

from sidecar.edges import lmtp, replies
from sidecar.edges.deadline import Deadline
from sidecar.edges.replies import Reply
from sidecar.telemetry import report

__all__ = ["House", "LmtpSession"]

log = structlog.get_logger()


class House(Protocol):
    """What a session tells its server."""

    def admit(self, session: "LmtpSession") -> str | None: ...
    def lost(self, session: "LmtpSession") -> None: ...
    def deliver(self, session: "LmtpSession", delivery: lmtp.Delivery) -> None: ...


class LmtpSession(asyncio.Protocol):
    """Reads nothing more while a delivery is pending or while the peer leaves replies unread.

    Each octet ends a silence, but only a whole mail ends the time for one: a peer that drips is sent away.
    """

    def __init__(
        self, house: House, connection: lmtp.Connection, *, idle: float, mail: float, write: float
    ) -> None:
        self._house, self._lmtp = house, connection
        self._idle, self._mail, self._write = idle, mail, write
        self._loop = asyncio.get_running_loop()
        self._mail_due = self._loop.time() + mail
        self._deadline = Deadline(self._loop, self._give_up)
        self._blocked = False  # the peer does not read
        self._served = self._loop.time()  # when it came, or its last mail was answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        refusal = self._house.admit(self)
        if refusal is None:
            self._go_on()
        else:
            self._transport.write(f"{refusal}\r\n".encode())
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._step(lambda: self._lmtp.receive(data))

    def pause_writing(self) -> None:
        self._blocked = True
        self._wait()

    def resume_writing(self) -> None:
        self._blocked = False
        self._wait()

    def connection_lost(self, _: Exception | None) -> None:
        self._deadline.stop()
        self._house.lost(self)

    def answer(self, answers: Sequence[Reply]) -> None:
        """One reply per recipient of the pending delivery; without effect when the peer is gone."""
        self._served = self._loop.time()
        self._mail_due = self._served + self._mail
        self._step(lambda: self._lmtp.answer(answers))

    def leave(self, reply: str) -> None:
        """Say so and hang up, after the pending delivery if there is one."""
        self._lmtp.hang_up(reply)
        self._go_on()

    @property
    def waiting_since(self) -> float | None:
        """For a mail, on the loop's clock; None while one is with the intake."""
        return self._served if self._lmtp.pending is None else None

    def make_room(self, reply: str) -> None:
        """Say so and hang up at once, whether the peer reads it or not."""
        self.leave(reply)
        if self._blocked:
            self._transport.abort()

    def abort(self) -> None:
        """Hang up without a word."""
        self._transport.abort()

    def _step(self, step: Callable[[], lmtp.Delivery | None]) -> None:
        if self._transport.is_closing():
            return
        try:
            delivery = step()
        except Exception as error:  # a door: unforeseen is temporary
            report(log, "session failed", error)
            self._lmtp.pending = None
            self._lmtp.hang_up(replies.BROKEN)
            delivery = None
        self._go_on()
        if delivery is not None:
            self._house.deliver(self, delivery)

    def _go_on(self) -> None:
        if output := self._lmtp.output():
            self._transport.write(output)
        if self._lmtp.closed:
            self._transport.close()
        self._wait()

    def _wait(self) -> None:
        """For the one thing that is next: the peer's reading, the intake, or the peer's writing."""
        if self._blocked or self._lmtp.closed:
            self._deadline.within(self._write)
        elif self._lmtp.pending is not None:
            self._deadline.off()
        else:
            self._deadline.within(min(self._idle, self._mail_due - self._loop.time()))
        if self._transport.is_closing():
            return
        if self._blocked or self._lmtp.pending is not None:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _give_up(self) -> None:
        if self._blocked or self._lmtp.closed:
            self._transport.abort()
        else:
            self.leave(replies.TOO_SLOW if self._loop.time() >= self._mail_due else replies.IDLE)

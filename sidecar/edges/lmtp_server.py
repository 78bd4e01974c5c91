"""The LMTP door: sessions on sockets, each delivery taken by the intake.

Knows sockets, patience and the end of the program's life. Does not know LMTP's grammar (lmtp.py), what a
notice is, or how it is booked. 250 is said after the intake said so; whatever goes wrong before is temporary.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from sidecar.edges import lmtp, replies
from sidecar.edges.delivery import take
from sidecar.edges.few_lines import FewLines
from sidecar.edges.lmtp_session import LmtpSession
from sidecar.edges.passed_sockets import WrongSocket
from sidecar.edges.replies import REPLIES, TROUBLE, Reply
from sidecar.edges.room import SPARE, idlest
from sidecar.edges.unix_socket import MODE, CannotListen, UnixSocket
from sidecar.services.receipt import Intake, Received
from sidecar.telemetry import Door, Metrics

__all__ = ["Limits", "LmtpServer"]

_LOOPBACK_ONLY = "LMTP is served on loopback addresses only, such as 127.0.0.1"

log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """What one peer may cost, and how long anybody waits."""

    size: int = lmtp.SIZE_LIMIT  #: octets of a mail
    spare: float = SPARE  #: seconds for which a session may bring no mail when others have no room
    sessions: int = 100  #: at once; Postfix opens 20 per destination (default_destination_concurrency_limit)
    unfinished: int = 200  #: deliveries with the intake, those included for which nobody waits any more
    patience: float = 60.0  #: seconds for a delivery; Postfix waits 600 (lmtp_data_done_timeout)
    idle: float = 300.0  #: seconds of silence; RFC 5321 section 4.5.3.2.7
    mail: float = 1800.0  #: seconds for each mail, from the greeting or the last one's reply to the final dot
    write: float = 60.0  #: seconds that a peer may leave replies unread


class LmtpServer:
    """Serves LMTP on a Unix socket, on loopback TCP, or both."""

    def __init__(
        self,
        intake: Intake,
        *,
        name: str = "bounce-sidecar",
        limits: Limits | None = None,
        door: Door | None = None,
    ) -> None:
        self.limits, self._door = limits or Limits(), door or Door(Metrics(), "lmtp")
        self._took = self._door.mail().observe
        self._intake, self._name = intake, name
        self._sessions: set[LmtpSession] = set()
        self._door.open.set_function(lambda: len(self._sessions))
        self._deliveries: set[asyncio.Task[None]] = set()
        self._closing = False
        self._few = FewLines()
        self._quiet = asyncio.Event()  # no session and no delivery
        self._quiet.set()
        self._listeners: list[asyncio.Server] = []
        self._sockets: list[UnixSocket] = []

    async def listen_unix(self, path: Path, *, mode: int = MODE, group: str | None = None) -> None:
        """Serve on this path from now on. Raises CannotListen."""
        await self.serve_unix(UnixSocket.open(path, mode=mode, group=group))

    async def serve_unix(self, unix: UnixSocket) -> None:
        """The same on a socket that is open already."""
        self._listeners.append(await unix.serve(self._session))
        self._sockets.append(unix)

    async def listen_tcp(self, host: str, port: int) -> int:
        """Serve on this loopback address from now on; returns the port (0 asks for any). Raises CannotListen.

        LMTP asks nobody who he is: whoever reaches the door may hand in notices.
        """
        if host != "localhost" and not _is_loopback(host):
            raise CannotListen(f"{host}: {_LOOPBACK_ONLY}")
        loop = asyncio.get_running_loop()
        try:
            listener = await loop.create_server(self._session, host, port)
        except OSError as error:
            raise CannotListen(f"{host} port {port}: {error.strerror or error}") from error
        self._listeners.append(listener)
        bound: int = listener.sockets[0].getsockname()[1]
        return bound

    async def serve_tcp(self, listener: socket.socket) -> None:
        """The same on a socket that was passed. Raises WrongSocket."""
        host = listener.getsockname()[0]
        if not _is_loopback(host):
            raise WrongSocket(f"the socket named 'lmtp' listens on {host}: {_LOOPBACK_ONLY}")
        loop = asyncio.get_running_loop()
        self._listeners.append(await loop.create_server(self._session, sock=listener))

    async def close(self, grace: float = 10.0) -> None:
        """Stop listening, send idle peers away, let pending deliveries finish for *grace* seconds.

        Repeatable. What is still at work then is not cancelled; its peer gets no reply and keeps the mail.
        """
        self._closing = True
        for unix in self._sockets:
            unix.remove()
        for listener in self._listeners:
            listener.close()
        for session in tuple(self._sessions):
            session.leave(replies.SHUTTING_DOWN)
        try:
            async with asyncio.timeout(grace):
                await self._quiet.wait()
        except TimeoutError:
            log.warning(
                "closing with work left", sessions=len(self._sessions), deliveries=len(self._deliveries)
            )
            for session in tuple(self._sessions):
                session.abort()

    def _session(self) -> LmtpSession:
        connection = lmtp.Connection(self._intake.refusal, name=self._name, size_limit=self.limits.size)
        limits = self.limits
        return LmtpSession(self, connection, idle=limits.idle, mail=limits.mail, write=limits.write)

    def admit(self, session: LmtpSession) -> str | None:
        """The reply that turns it away, None if there is room for one more, or an idler made it."""
        if self._closing:
            return replies.SHUTTING_DOWN
        if len(self._sessions) >= self.limits.sessions and not self._made_room():
            return replies.TOO_MANY_SESSIONS
        self._sessions.add(session)
        self._quiet.clear()
        return None

    def _made_room(self) -> bool:
        """Who has brought no mail for longest is sent away."""
        self._door.turned_away.inc()
        self._few.say(log.warning, "too many sessions", limit=self.limits.sessions)
        long_ago = asyncio.get_running_loop().time() - self.limits.spare
        idler = idlest(self._sessions, lambda session: session.waiting_since, long_ago)
        if idler is None:
            return False
        self._sessions.discard(idler)
        idler.make_room(replies.TOO_MANY_SESSIONS)
        return True

    def lost(self, session: LmtpSession) -> None:
        """The connection is gone; its delivery goes on unheard."""
        self._sessions.discard(session)
        self._settle()

    def deliver(self, session: LmtpSession, delivery: lmtp.Delivery) -> None:
        """Ask the intake, and have the session answer within `patience`."""
        loop = asyncio.get_running_loop()
        if len(self._deliveries) >= self.limits.unfinished:
            log.warning("intake does not keep up", unfinished=len(self._deliveries))
            self._door.full.inc(len(delivery.recipients))
            loop.call_soon(session.answer, [TROUBLE] * len(delivery.recipients))
            return
        task = loop.create_task(self._deliver(session, delivery))
        self._deliveries.add(task)
        task.add_done_callback(self._delivered)

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._deliveries.discard(task)
        self._settle()

    def _settle(self) -> None:
        if not self._sessions and not self._deliveries:
            self._quiet.set()

    async def _deliver(self, session: LmtpSession, delivery: lmtp.Delivery) -> None:
        began = time.perf_counter()
        # Together, so that the recipients of one mail share one commit.
        works = [
            asyncio.ensure_future(self._take(Received(recipient, delivery.sender, delivery.raw)))
            for recipient in delivery.recipients
        ]
        _, late = await asyncio.wait(works, timeout=self.limits.patience)  # leaves what is late at work
        if late:
            log.warning("intake is late", recipients=len(late), patience=self.limits.patience)
            self._door.late.inc(len(late))
        answers = _answers(works)
        self._door.trouble.inc(answers.count(TROUBLE) - len(late))
        session.answer(answers)
        self._took(time.perf_counter() - began)
        if late:
            await asyncio.wait(late)

    async def _take(self, received: Received) -> Reply:
        receipt = await take(self._intake, received)
        return REPLIES[receipt] if receipt else TROUBLE


def _answers(works: Sequence[asyncio.Future[Reply]]) -> list[Reply]:
    return [work.result() if work.done() and not work.cancelled() else TROUBLE for work in works]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""What the doors over HTTP have in common: a listener, its connections, and how it ends.

Knows sockets, patience and the end of the program's life. Does not know what is asked, nor what is
said to it.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sized
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import structlog
from aiohttp import web

from sidecar.edges import replies
from sidecar.edges.few_lines import FewLines
from sidecar.edges.http_connection import Connection
from sidecar.edges.replies import HttpReply
from sidecar.edges.room import idlest, slowest
from sidecar.edges.unix_socket import CannotListen
from sidecar.telemetry import Door

__all__ = ["HttpLimits", "HttpListener", "Unfinished"]

log = structlog.get_logger()

# aiohttp quotes what it cannot read, which may be a mail address.
_silent = logging.getLogger("sidecar.http")
_silent.disabled = True


@dataclass(frozen=True)
class HttpLimits:
    """What one peer may cost, and how long anybody waits."""

    connections: int = 100  #: at once; Postfix runs 20 pipes per destination
    idle: float = 60.0  #: seconds for a request's header, and for reading an answer
    body: float = 120.0  #: seconds for a whole body; the largest needs 700 kbit/s then
    begin: float = 10.0  #: seconds for a body that brings nothing, and for each *rate* octets a second more
    rate: int = 1000  #: octets; no client of ours is as slow as a modem (Apache's mod_reqtimeout: 500)
    spare: float = 2.0  #: seconds for which a connection may say nothing when others have no room


class Unfinished(Sized, Protocol):
    """Work for which no connection waits any more."""

    async def finished(self) -> None: ...


class _Handler(web.RequestHandler):
    """Says of what it cannot read that it cannot: aiohttp quotes it, and names its own version."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        response = super().handle_error(request, status, exc, HTTPStatus(status).phrase)
        response.headers.update({"Server": "bounce-sidecar", "X-Content-Type-Options": "nosniff"})
        return response


class HttpListener:
    """Hands requests to *answer*, on one address; *refused* makes the octets for whom it turns away.

    *section* is where its settings stand.
    """

    def __init__(
        self,
        section: str,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        refused: Callable[[HttpReply], bytes],
        door: Door,
        limits: HttpLimits = HttpLimits(),
    ) -> None:
        self._section, self._answer, self._refused, self._limits = section, answer, refused, limits
        self._connections: dict[object, Connection] = {}  # by aiohttp's part of it
        self._door = door
        door.open.set_function(lambda: len(self._connections))
        self._bodies: set[asyncio.Timeout] = set()  # that are being read
        self._requests = 0
        self._few = FewLines()
        self._quiet = asyncio.Event()  # no request is at work
        self._quiet.set()
        self.closing = False
        self._listener: asyncio.Server | None = None
        # No decompression: bytes are taken as they are, and none becomes a thousand.
        self._handling: dict[str, Any] = {
            "logger": _silent,
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": limits.idle,
        }
        self._aiohttp = web.Server(self._request)

    async def listen(self, host: str, port: int) -> int:
        """Serve from now on; returns the port, any free one if 0 was asked for. Raises CannotListen."""
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(self._connection, host, port)
        except OSError as error:
            raise CannotListen(f"{self._section} {host} port {port}: {error.strerror or error}") from error
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    async def serve(self, listener: socket.socket) -> None:
        """The same on a socket that was passed: who may come in is for others to say."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connection, sock=listener)

    async def close(self, grace: float, unfinished: Unfinished | None = None) -> None:
        """Stop listening, hang up on idle peers, let requests and *unfinished* work end for *grace* seconds.

        Repeatable. What is still at work then is not cancelled; its peer gets no answer.
        """
        self.closing = True
        if self._listener:
            self._listener.close()
        for connection in tuple(self._connections.values()):
            connection.leave()
        now = asyncio.get_running_loop().time()
        for body in self._bodies:
            body.reschedule(now)
        try:
            async with asyncio.timeout(grace):
                await self._quiet.wait()
                if unfinished is not None:
                    await unfinished.finished()
        except TimeoutError:
            left = len(unfinished) if unfinished is not None else 0
            log.warning("closing with work left", sessions=self._requests, deliveries=left)
            for connection in tuple(self._connections.values()):
                connection.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._aiohttp.shutdown(1.0)  # seconds for answers that are being written

    async def body(self, request: web.BaseRequest, limit: int) -> bytes | HttpReply:
        """All of it, or what is said instead."""
        if (request.content_length or 0) > limit:
            return replies.BODY_TOO_BIG
        connection = self._connections.get(request.protocol)
        if connection is None:
            raise ConnectionResetError
        began, body = asyncio.get_running_loop().time(), bytearray()
        patience = asyncio.timeout_at(self._due(began, 0))
        connection.reads(began, 0)
        try:
            async with patience:
                self._bodies.add(patience)
                while chunk := await request.content.readany():
                    body += chunk
                    if len(body) > limit:
                        return replies.BODY_TOO_BIG
                    connection.reads(began, len(body))
                    if not self.closing:
                        patience.reschedule(self._due(began, len(body)))
        except TimeoutError:
            return replies.CLOSING if self.closing else replies.BODY_TOO_SLOW
        except web.RequestPayloadError:
            return replies.bad_input("The body is damaged")
        finally:
            self._bodies.discard(patience)
            connection.has_read()
        return bytes(body)

    def _due(self, began: float, octets: int) -> float:
        """When more of a body must have come than these *octets*, on the loop's clock."""
        limits = self._limits
        return began + min(limits.body, limits.begin + octets / limits.rate)

    def admit(self, connection: Connection) -> bytes | None:
        if self.closing:
            return self._refused(replies.CLOSING)
        if len(self._connections) >= self._limits.connections and not self._spared():
            self._few.say(log.warning, "too many http connections", limit=self._limits.connections)
            self._door.turned_away.inc()
            return self._refused(replies.TOO_MANY_CLIENTS)
        self._connections[connection.inner] = connection
        return None

    def _spared(self) -> bool:
        """Hang up on whoever has said nothing for longest, or else on whose body comes slowest.

        False if nobody has kept us waiting for long enough.
        """
        now, peers = asyncio.get_running_loop().time(), self._connections.values()
        long_ago = now - self._limits.spare
        idle = idlest(peers, lambda one: one.resting, long_ago) or slowest(
            peers, lambda one: one.reading, now, long_ago
        )
        if idle is None:
            return False
        self._connections.pop(idle.inner, None)
        idle.abort()
        return True

    def lost(self, connection: Connection) -> None:
        """The connection is gone; what it brought goes on unheard."""
        self._connections.pop(connection.inner, None)

    def _connection(self) -> Connection:
        loop = asyncio.get_running_loop()
        handler = _Handler(self._aiohttp, loop=loop, **self._handling)
        return Connection(self, handler, idle=self._limits.idle)

    async def _request(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = self._connections.get(request.protocol)
        if connection is None:
            raise ConnectionResetError
        connection.works()
        self._requests += 1
        self._quiet.clear()
        try:
            response = await self._answer(request)
            await response.prepare(request)
            await response.write_eof()
            return response
        finally:
            connection.rests()
            self._requests -= 1
            if not self._requests:
                self._quiet.set()

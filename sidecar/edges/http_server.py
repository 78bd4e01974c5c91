"""The HTTP door: requests read within limits, each answered by its endpoint.

Knows sockets, patience and the end of the program's life. Does not know what an endpoint does, nor what is
said for a receipt. 2xx is said after the endpoint said so; whatever goes wrong before is temporary.
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from sidecar.edges import replies
from sidecar.edges.delivery import Deliveries
from sidecar.edges.http_connection import Connection
from sidecar.edges.http_gate import Doorman
from sidecar.edges.http_talk import Answer, Asked, Route, say
from sidecar.edges.replies import TROUBLE
from sidecar.edges.unix_socket import CannotListen
from sidecar.telemetry import Door, Metrics, report

__all__ = ["HttpLimits", "HttpServer"]

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


class HttpServer:
    """Serves *routes*, by path, on one address."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        doorman: Doorman,
        deliveries: Deliveries,
        limits: HttpLimits = HttpLimits(),
        door: Door | None = None,
    ) -> None:
        self._routes, self._doorman, self._deliveries, self._limits = routes, doorman, deliveries, limits
        self._connections: dict[object, Connection] = {}  # by aiohttp's part of it
        self._door = door or Door(Metrics(), "http")
        self._door.open.set_function(lambda: len(self._connections))
        self._bodies: set[asyncio.Timeout] = set()  # that are being read
        self._requests = 0
        self._quiet = asyncio.Event()  # no request is at work
        self._quiet.set()
        self._closing = False
        self._listener: asyncio.Server | None = None
        # No decompression: bytes are taken as they are, and none becomes a thousand.
        self._aiohttp = web.Server(
            self._request,
            logger=_silent,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.idle,
        )

    async def listen(self, host: str, port: int) -> int:
        """Serve from now on; returns the port, any free one if 0 was asked for. Raises CannotListen."""
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(self._connection, host, port)
        except OSError as error:
            raise CannotListen(f"[http] {host} port {port}: {error.strerror or error}") from error
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    async def serve(self, listener: socket.socket) -> None:
        """The same on a socket that was passed: who may come in is the doorman's to say."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connection, sock=listener)

    async def close(self, grace: float = 10.0) -> None:
        """Stop listening, hang up on idle peers, let requests and deliveries finish for *grace* seconds.

        Repeatable. What is still at work then is not cancelled; its peer gets no answer and keeps the mail.
        """
        self._closing = True
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
                await self._deliveries.finished()
        except TimeoutError:
            log.warning("closing with work left", sessions=self._requests, deliveries=len(self._deliveries))
            for connection in tuple(self._connections.values()):
                connection.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._aiohttp.shutdown(1.0)  # seconds for answers that are being written

    def admit(self, connection: Connection) -> bytes | None:
        if self._closing:
            return _turned_away(say(replies.CLOSING))
        if len(self._connections) >= self._limits.connections:
            log.warning("too many http connections", limit=self._limits.connections)
            self._door.turned_away.inc()
            return _turned_away(say(replies.TOO_MANY_CLIENTS))
        self._connections[connection.inner] = connection
        return None

    def lost(self, connection: Connection) -> None:
        """The connection is gone; what it brought goes on unheard."""
        self._connections.pop(connection.inner, None)

    def _connection(self) -> Connection:
        return Connection(self, self._aiohttp(), idle=self._limits.idle)

    async def _request(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = self._connections.get(request.protocol)
        if connection is None:
            raise ConnectionResetError
        connection.works()
        self._requests += 1
        self._quiet.clear()
        try:
            response = _response(await self._answer(request))
            await response.prepare(request)
            await response.write_eof()
            return response
        finally:
            connection.rests()
            self._requests -= 1
            if not self._requests:
                self._quiet.set()

    async def _answer(self, request: web.BaseRequest) -> Answer:
        route = self._routes.get(request.path)
        if route is None:
            return say(replies.NOT_FOUND)
        if request.method not in route.methods:
            answer = say(replies.OTHER_METHOD)
            return route.dress(replace(answer, headers={"Allow": ", ".join(route.methods)}))
        try:
            answer = await self._inside(request, route)
        except ConnectionError:  # the peer has gone
            raise
        except Exception as error:  # a door: unforeseen is temporary
            report(log, "http request failed", error)
            self._door.trouble.inc()
            answer = say(TROUBLE.http)
        return route.dress(answer)

    async def _inside(self, request: web.BaseRequest, route: Route) -> Answer:
        if self._closing:
            return say(replies.CLOSING)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if route.gate and (refusal := self._doorman.refusal(route.gate, request.remote or "", headers)):
            return say(refusal)
        query = {name: tuple(request.query.getall(name)) for name in request.query}
        asked = Asked(query, headers)
        if early := route.early(asked):
            return early
        if headers.get("content-encoding", "identity").lower() != "identity":
            return say(replies.ENCODED)
        if (expected := headers.get("expect")) is not None:
            if expected.lower() != "100-continue":
                return say(replies.NO_EXPECTATION)
            if (request.content_length or 0) <= route.limit:
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self._body(request, route.limit)
        return body if isinstance(body, Answer) else await route.handle(replace(asked, body=body))

    async def _body(self, request: web.BaseRequest, limit: int) -> bytes | Answer:
        """All of it, or what is said instead."""
        if (request.content_length or 0) > limit:
            return say(replies.BODY_TOO_BIG)
        body = bytearray()
        patience = asyncio.timeout(self._limits.body)
        try:
            async with patience:
                self._bodies.add(patience)
                while chunk := await request.content.readany():
                    body += chunk
                    if len(body) > limit:
                        return say(replies.BODY_TOO_BIG)
        except TimeoutError:
            return say(replies.CLOSING if self._closing else replies.BODY_TOO_SLOW)
        except web.RequestPayloadError:
            return say(replies.bad_input("The body is damaged"))
        finally:
            self._bodies.discard(patience)
        return bytes(body)


def _response(answer: Answer) -> web.Response:
    headers = {"Server": "bounce-sidecar", **answer.headers}
    return web.Response(
        status=answer.status, body=_json(answer), headers=headers, content_type="application/json"
    )


def _json(answer: Answer) -> bytes:
    return json.dumps(answer.body).encode() + b"\n"


def _turned_away(answer: Answer) -> bytes:
    """*answer* for whom aiohttp has not seen."""
    body = _json(answer)
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} Service Unavailable", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

"""The HTTP door: requests read within limits, each answered by its endpoint, as JSON.

Knows routes and what every answer has in common. Does not know what an endpoint does, what is said for a
receipt, nor sockets: http_listener.py does. 2xx is said after the endpoint said so; whatever goes wrong
before is temporary.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import replace

import structlog
from aiohttp import web

from sidecar.edges import replies
from sidecar.edges.delivery import Deliveries
from sidecar.edges.http_gate import Doorman
from sidecar.edges.http_listener import HttpLimits, HttpListener
from sidecar.edges.http_talk import Answer, Asked, Route, say
from sidecar.edges.replies import TROUBLE, HttpReply
from sidecar.telemetry import Door, report

__all__ = ["HttpServer"]

log = structlog.get_logger()


class HttpServer:
    """Serves *routes*, by path, on one address."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        doorman: Doorman,
        deliveries: Deliveries,
        limits: HttpLimits,
        door: Door,
    ) -> None:
        self._routes, self._doorman, self._deliveries, self._door = routes, doorman, deliveries, door
        self._listener = HttpListener("[http]", self._request, _turned_away, door, limits)

    async def listen(self, host: str, port: int) -> int:
        """Serve from now on; returns the port, any free one if 0 was asked for. Raises CannotListen."""
        return await self._listener.listen(host, port)

    async def serve(self, listener: socket.socket) -> None:
        """The same on a socket that was passed: who may come in is the doorman's to say."""
        await self._listener.serve(listener)

    async def close(self, grace: float = 10.0) -> None:
        """Stop listening, hang up on idle peers, let requests and deliveries finish for *grace* seconds.

        Repeatable. What is still at work then is not cancelled; its peer gets no answer and keeps the mail.
        """
        await self._listener.close(grace, self._deliveries)

    async def _request(self, request: web.BaseRequest) -> web.StreamResponse:
        return _response(await self._answer(request))

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
        if self._listener.closing:
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
        body = await self._listener.body(request, route.limit)
        return await route.handle(replace(asked, body=body)) if isinstance(body, bytes) else say(body)


def _response(answer: Answer) -> web.Response:
    headers = {"Server": "bounce-sidecar", **answer.headers}
    return web.Response(
        status=answer.status, body=_json(answer), headers=headers, content_type="application/json"
    )


def _json(answer: Answer) -> bytes:
    return json.dumps(answer.body).encode() + b"\n"


def _turned_away(reply: HttpReply) -> bytes:
    """*reply* for whom aiohttp has not seen."""
    answer = say(reply)
    body = _json(answer)
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} Service Unavailable", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

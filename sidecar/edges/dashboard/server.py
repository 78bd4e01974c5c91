"""The dashboard's door: a request becomes a visit, if whoever makes it may come in, and a page its answer.

Knows the order in which a request is looked at, and what is asked of one that acts. Does not know what a page
shows, nor sockets: http_listener.py does.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote

import structlog
from aiohttp import web

from sidecar.domain.admission import Admission
from sidecar.edges import replies
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.gate import Brought, Gate, WrongToken
from sidecar.edges.dashboard.headers import headers_of, plain
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.edges.http_listener import HttpLimits, HttpListener
from sidecar.edges.replies import HttpReply
from sidecar.services.showing import CannotShow
from sidecar.telemetry import Door, report

__all__ = ["COOKIE", "DashboardServer"]

log = structlog.get_logger()

COOKIE = "bounce_sidecar_session"
FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 8192  # octets; a token and some ids
MOST_FIELDS = 20
LIMITS = HttpLimits(connections=50, idle=30.0, body=10.0)


class DashboardServer:
    """Serves *pages*, by path, on one address."""

    def __init__(
        self,
        pages: Mapping[str, Page],
        gate: Gate,
        desk: Desk,
        clock: Callable[[], datetime],
        admission: Admission,
        door: Door,
        limits: HttpLimits = LIMITS,
    ) -> None:
        self._pages, self._gate, self._desk, self._clock = pages, gate, desk, clock
        self._admission, self._door = admission, door
        self._listener = HttpListener("[dashboard]", self._request, _turned_away, door, limits)

    async def listen(self, host: str, port: int) -> int:
        """Serve from now on; returns the port, any free one if 0 was asked for. Raises CannotListen."""
        return await self._listener.listen(host, port)

    async def close(self, grace: float = 5.0) -> None:
        """Let requests finish for *grace* seconds. Repeatable."""
        await self._listener.close(grace)
        self._desk.close()

    async def _request(self, request: web.BaseRequest) -> web.StreamResponse:
        shown = await self._answer(request)
        headers = {**headers_of(shown), "Content-Type": f"{shown.kind}; charset=utf-8"}
        return web.Response(status=shown.status, body=shown.body, headers=headers)

    async def _answer(self, request: web.BaseRequest) -> Shown:
        if self._listener.closing:
            return plain(replies.CLOSING)
        inside = request.path.startswith(f"{self._desk.base}/")
        path = request.path.removeprefix(self._desk.base)
        page = self._pages.get(path) if inside else None
        visit = Visit(path, self._clock(), None, request.remote or "", dict(request.query))
        if page is None:
            return await self._desk.say(visit, replies.NOT_FOUND)
        if request.method not in page.methods:
            return plain(replies.OTHER_METHOD, {"Allow": ", ".join(page.methods)})
        try:
            return await self._inside(request, page, visit)
        except ConnectionError:  # the peer has gone
            raise
        except CannotShow as trouble:
            return await self._desk.show(visit, "trouble.html", status=503, trouble=trouble)
        except Exception as error:  # a door: unforeseen is temporary
            report(log, "dashboard failed", error)
            self._door.trouble.inc()
            return plain(replies.TROUBLE.http)

    async def _inside(self, request: web.BaseRequest, page: Page, visit: Visit) -> Shown:
        cookie = _cookie(request)
        brought = self._brought(request, cookie)
        if brought.users and not self._admission.is_called(_host(request)):
            return plain(replies.OTHER_HOST)
        try:
            visitor = self._gate.visitor(brought, visit.now)
        except WrongToken:
            return plain(replies.WRONG_TOKEN, {"WWW-Authenticate": 'Bearer realm="bounce-sidecar"'})
        visit = replace(visit, visitor=visitor, cookie=cookie)
        if visitor is None and not page.open:
            if request.method == "POST":
                return await self._desk.say(visit, replies.NOT_LOGGED_IN)
            return self._desk.elsewhere(f"/login?to={quote(request.path_qs.removeprefix(self._desk.base))}")
        if request.method == "POST":
            form = await self._form(request)
            if isinstance(form, HttpReply):
                return await self._desk.say(visit, form)
            visit = replace(visit, form=form)
            if page.acts and (refusal := self._refusal(visit)):
                return await self._desk.say(visit, refusal)
        return await page.handle(visit)

    def _refusal(self, visit: Visit) -> HttpReply | None:
        """Why nothing is done; None if it is."""
        if not self._desk.actions:
            return replies.ACTIONS_OFF
        bond = visit.visitor.bond if visit.visitor else ""
        if not self._gate.seals.is_form(visit.form.get("form_token", ""), bond, visit.now):
            return replies.STALE_FORM
        return None

    def _brought(self, request: web.BaseRequest, cookie: str) -> Brought:
        header = self._admission.user_header
        users = request.headers.getall(header, []) if header else []
        return Brought(request.remote or "", request.headers.get("Authorization"), cookie, users)

    async def _form(self, request: web.BaseRequest) -> dict[str, str] | HttpReply:
        """The fields of a form of ours, or what is said instead."""
        if not self._is_ours(request):
            return replies.OTHER_ORIGIN
        if request.content_type != FORM or "Content-Encoding" in request.headers:
            return replies.NO_FORM
        body = await self._listener.body(request, LONGEST_FORM)
        if not isinstance(body, bytes):
            return body
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            return replies.NO_FORM
        return dict(fields)

    def _is_ours(self, request: web.BaseRequest) -> bool:
        """Whether the form stood on a page of ours: every browser says whence a POST comes."""
        origin = request.headers.get("Origin", "")
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        public, host = self._admission.origin, _host(request)
        here = {public} if public else {f"{scheme}://{host}" for scheme in ("http", "https") if host}
        return origin in here and site == "same-origin"


def _host(request: web.BaseRequest) -> str:
    """As the request says it; aiohttp would make one up, and may ask DNS for it."""
    return request.headers.get("Host", "")


def _cookie(request: web.BaseRequest) -> str:
    """The session's, however odd its neighbours are."""
    try:
        found = SimpleCookie(request.headers.get("Cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _turned_away(reply: HttpReply) -> bytes:
    """*reply* for whom aiohttp has not seen."""
    body = f"{reply.words}\n".encode()
    head = f"HTTP/1.1 {reply.status} Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

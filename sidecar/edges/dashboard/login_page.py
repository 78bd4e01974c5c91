"""The pages that let in and out, and the style that they are shown in.

Knows the token's form and the session's cookie. Does not know how a session is sealed.
"""

from collections.abc import Mapping

import structlog

from sidecar.edges.dashboard.desk import ICON, STYLE, Desk
from sidecar.edges.dashboard.gate import Gate
from sidecar.edges.dashboard.headers import SVG
from sidecar.edges.dashboard.seals import LASTS
from sidecar.edges.dashboard.visit import LOOK, Page, Shown, Visit
from sidecar.edges.few_lines import FewLines

__all__ = ["entrance"]

log = structlog.get_logger()

KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}  # the longest that browsers know
WRONG = "This is not the token."
TIRED = "Too many wrong tokens came from your address. Wait a minute, then try again."


class _Entrance:
    def __init__(self, desk: Desk, gate: Gate, cookie: str, *, secure: bool) -> None:
        self._desk, self._gate, self._cookie, self._few = desk, gate, cookie, FewLines()
        self._attributes = f"Path={desk.base or '/'}; HttpOnly; SameSite=Strict{'; Secure' * secure}"

    async def login(self, visit: Visit) -> Shown:
        if visit.visitor and not visit.form:
            return self._desk.elsewhere("/")
        if "token" not in visit.form:
            return await self._ask(visit, visit.query.get("to", ""), "", 200)
        to = visit.form.get("to", "")
        if not self._gate.is_right(visit.form["token"].strip()):
            if self._gate.throttle.tired(visit.peer, visit.now):
                return await self._ask(visit, to, TIRED, 429)
            self._gate.throttle.wrong(visit.peer, visit.now)
            self._few.say(log.warning, "dashboard login refused", peer=visit.peer)
            return await self._ask(visit, to, WRONG, 403)
        log.info("dashboard login", peer=visit.peer)
        session = self._set(self._gate.seals.session(visit.now), LASTS.total_seconds())
        return self._desk.elsewhere(self._desk.inside(to), session)

    async def logout(self, visit: Visit) -> Shown:
        """Needs no form token: a foreign page cannot post here, and nothing is lost."""
        self._gate.seals.end(visit.cookie, visit.now)
        return self._desk.elsewhere("/login", self._set("", 0))

    async def style(self, _: Visit) -> Shown:
        """Its address changes with it."""
        return Shown(200, STYLE, "text/css", KEPT)

    async def icon(self, _: Visit) -> Shown:
        return Shown(200, ICON, "image/svg+xml", {**KEPT, "Content-Security-Policy": SVG})

    async def _ask(self, visit: Visit, to: str, trouble: str, status: int) -> Shown:
        values = {"to": to, "trouble": trouble, "takes_tokens": self._gate.takes_tokens}
        return await self._desk.show(visit, "login.html", status=status, **values)

    def _set(self, value: str, seconds: float) -> Mapping[str, str]:
        return {"Set-Cookie": f"{self._cookie}={value}; Max-Age={int(seconds)}; {self._attributes}"}


def entrance(desk: Desk, gate: Gate, cookie: str, *, secure: bool) -> dict[str, Page]:
    """Open to everybody. *secure*: the cookie is sent over https alone."""
    at = _Entrance(desk, gate, cookie, secure=secure)
    return {
        "/login": Page(at.login, (*LOOK, "POST"), open=True),
        "/logout": Page(at.logout, ("POST",), open=True),
        "/style.css": Page(at.style, open=True),
        "/icon.svg": Page(at.icon, open=True),
    }

"""The practice wiki's logins: sessions behind cookies, tokens, one bot password, and the throttle.

Knows action=login and meta=tokens with MediaWiki's manners. Does not know what a session is good for.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .practice_troubles import ApiError

__all__ = ["PracticeLogins", "Session"]

THROTTLE = (5, 300.0)  # wrong passwords in so many seconds, as $wgPasswordAttemptThrottle


@dataclass
class Session:
    """What the wiki keeps behind one cookie."""

    user: str = ""  #: "" for a visitor
    login_token: str = field(default_factory=lambda: secrets.token_hex(16) + "+\\")
    csrf_token: str = "+\\"


class PracticeLogins:
    """One account and all sessions. Not thread-safe."""

    def __init__(self, account: str, password: str) -> None:
        self.account, self.password = account, password
        self.revoked = False
        self.accepted, self.refused = 0, 0  #: logins, a throttled one among the refused
        self._sessions: dict[str, Session] = {}
        self._wrong: dict[str, list[float]] = {}

    def session(self, cookie: str) -> Session:
        """The session behind this cookie, or a new visitor's, which is kept only with its first token."""
        return self._sessions.get(cookie, Session())

    def forget(self) -> None:
        self._sessions.clear()

    def kept(self, session: Session, cookie: str) -> str:
        """The cookie behind which this session is from now on."""
        cookie = cookie if cookie in self._sessions else secrets.token_hex(16)
        self._sessions[cookie] = session
        return cookie

    @staticmethod
    def tokens(given: Mapping[str, str], session: Session) -> dict[str, Any]:
        """The answer to meta=tokens."""
        tokens = {"logintoken": session.login_token, "csrftoken": session.csrf_token}
        name = given.get("type", "csrf") + "token"
        if name not in tokens:
            raise ApiError("badvalue", 'Unrecognized value for parameter "type".')
        return {"batchcomplete": True, "query": {"tokens": {name: tokens[name]}}}

    def log_in(self, given: Mapping[str, str], session: Session, cookie: str) -> tuple[dict[str, Any], str]:
        """The answer to action=login, and the cookie from now on."""
        if cookie not in self._sessions:
            return _failed("sessionlost", given), cookie
        if given.get("lgtoken") != session.login_token:
            return {"login": {"result": "WrongToken"}}, cookie
        most, period = THROTTLE
        now = time.monotonic()
        wrong = self._wrong.setdefault(given.get("lgname", "").partition("@")[0], [])
        wrong[:] = [at for at in wrong if now - at < period]
        if len(wrong) >= most:
            self.refused += 1
            return _failed("login-throttled", given, {"duration": int(period)}), cookie
        right = given.get("lgname") == self.account and given.get("lgpassword") == self.password
        if self.revoked or not right:
            wrong.append(now)
            self.refused += 1
            return _failed("wrongpassword", given), cookie
        wrong.clear()
        self.accepted += 1
        del self._sessions[cookie]
        cookie, bot = secrets.token_hex(16), self.account.partition("@")[0]
        self._sessions[cookie] = Session(bot, csrf_token=secrets.token_hex(16) + "+\\")
        return {"login": {"result": "Success", "lguserid": 1, "lgusername": bot}}, cookie


def _failed(code: str, given: Mapping[str, str], *params: Mapping[str, int]) -> dict[str, Any]:
    raw = given.get("errorformat", "bc") != "bc"
    reason = (
        {"code": code, "key": code, "params": list(params)}
        if raw
        else "Incorrect username or password entered. Please try again."
    )
    return {"login": {"result": "Failed", "reason": reason}}

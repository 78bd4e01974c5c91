"""A practice wiki: NOT a MediaWiki. A small server that answers our requests as a MediaWiki would.

For the demonstration and the tests: everything is in memory, on 127.0.0.1, and gone when it is closed.
Knows MediaWiki's manners (errors are HTTP 200, the order of the checks) and every Trouble in which the
sidecar may find a wiki. Passes the contract tests that the real MediaWiki passes. Its nouns have files of
their own: users, logins, acts, troubles, HTTP. Has no pages, no mail and no other API.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from .practice_bounce import PracticeBounce
from .practice_http import COOKIE, PracticeServer, Reply, Request, page
from .practice_login import PracticeLogins, Session
from .practice_oauth import PracticeOAuth
from .practice_parameters import integer, required
from .practice_troubles import PAGES, REFUSALS, ApiError, Trouble
from .practice_users import Mailbox, PracticeUsers

__all__ = ["Mailbox", "PracticeWiki", "Trouble"]

PATH = "/w/api.php"
SLOWNESS = 5.0  # seconds
LAG = 9  # seconds


class PracticeWiki(PracticeUsers):
    """A wiki to practise on. Serves from construction until ``close``; safe from every thread."""

    def __init__(
        self, account: str = "BounceBot@sidecar", password: str = "practice" * 4, port: int = 0
    ) -> None:
        super().__init__()
        self.account = account
        self._logins = PracticeLogins(account, password)
        self.oauth = PracticeOAuth(account.partition("@")[0])  #: the same account's consumers
        self._troubles: list[Trouble] = []
        self._closing = threading.Event()
        self._server = PracticeServer(self.answer, port)
        self.api_url = self._server.url + PATH

    def close(self) -> None:
        """No more answers; the port is free again."""
        self._closing.set()
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def password(self) -> str:
        """The one that is valid now, unless it was revoked."""
        return self._logins.password

    @property
    def logins(self) -> int:
        """How often somebody has logged in."""
        return self._logins.succeeded

    @contextmanager
    def suffering(self, trouble: Trouble) -> Iterator[None]:
        """The wiki is in trouble until the context ends."""
        self._troubles.append(trouble)
        try:
            if trouble is Trouble.NO_GRANT:  # a bot password that is changed ends its sessions
                self.lose_sessions()
            yield
        finally:
            self._troubles.remove(trouble)

    def lose_sessions(self) -> None:
        """Every login is forgotten, as when the session store is emptied."""
        self._logins.forget()
        self.oauth.forget()

    def revoke_password(self) -> None:
        """The bot password ends, and with it its sessions."""
        self._logins.revoked = True
        self.lose_sessions()

    def renew_password(self, password: str) -> None:
        """The bot password is *password* from now on."""
        self._logins.password, self._logins.revoked = password, False
        self.lose_sessions()

    def answer(self, request: Request) -> Reply:
        """The response to one request."""
        given = request.parameters
        if request.path != PATH:
            return page(404, "Not Found")
        if Trouble.SLOW in self._troubles:
            self._closing.wait(SLOWNESS)
        for trouble, instead in PAGES.items():
            if trouble in self._troubles:
                return instead
        with self._lock:
            try:
                said, cookie = self._act(request)
                headers = {"Set-Cookie": f"{COOKIE}={cookie}; path=/; HttpOnly"} if cookie else {}
                return Reply(json.dumps(said), headers=headers)
            except ApiError as error:
                headers = {"MediaWiki-API-Error": error.code, **error.headers}
                return Reply(json.dumps(_spelled(error, given)), headers=headers)

    def _act(self, request: Request) -> tuple[dict[str, Any], str]:
        """MediaWiki's order: who asks, asserts, module, token, read-only, lag, then the module itself."""
        method, given, cookie = request.method, request.parameters, request.cookie
        authorised = None if Trouble.NO_OAUTH in self._troubles else self.oauth.session(request)
        session = authorised or self._logins.session(cookie)
        if given.get("assert") == "user" and not session.user:
            raise ApiError(
                "assertuserfailed", "You are no longer logged in, so the action could not be completed."
            )
        if (wanted := given.get("assertuser")) not in (None, session.user):
            raise ApiError(
                "assertnameduserfailed",
                f'You are no longer logged in as "{wanted}", so the action could not be completed.',
            )
        if given.get("action") == "query":
            answer = self._logins.tokens(given, session)
            return answer, "" if authorised else self._logins.kept(session, cookie)
        modules = {"login": self._logins.log_in, "emailbounce": self._bounce}
        if Trouble.NO_EXTENSION in self._troubles:
            del modules["emailbounce"]
        module = str(given.get("action"))
        if module not in modules:
            raise ApiError("badvalue", f'Unrecognized value for parameter "action": {module}.')
        if module == "emailbounce":
            _check_token(method, given, session)
        if method != "POST":
            raise ApiError("mustbeposted", f'The "{module}" module requires a POST request.')
        if Trouble.READ_ONLY in self._troubles:
            raise ApiError("readonly", "The wiki is currently in read-only mode.")
        if Trouble.LAGGED in self._troubles and "maxlag" in given and integer(given, "maxlag") < LAG:
            told = {"Retry_After": "5", "X_Database_Lag": str(LAG)}
            raise ApiError("maxlag", f"Waiting for a database server: {LAG} seconds lagged.", **told)
        return modules[module](given, session, cookie)

    def _bounce(self, given: Mapping[str, str], session: Session, cookie: str) -> tuple[dict[str, Any], str]:
        for trouble, refusal in REFUSALS.items():
            if trouble in self._troubles:
                raise ApiError(*refusal)
        if not session.user:
            raise ApiError(*REFUSALS[Trouble.NO_RIGHT])
        asked = PracticeBounce(self, given, datetime.now(UTC))
        return {"emailbounce": asked.answer(failing=Trouble.EXCEPTION in self._troubles)}, cookie


def _check_token(method: str, given: Mapping[str, str], session: Session) -> None:
    token = required(given, "token")
    if method != "POST":
        raise ApiError("mustpostparams", "In the query string, but must be in the POST body: token.")
    if token != session.csrf_token:
        raise ApiError("badtoken", "Invalid CSRF token.")


def _spelled(error: ApiError, given: Mapping[str, str]) -> dict[str, Any]:
    if given.get("errorformat", "bc") == "bc":
        return {"error": {"code": error.code, "info": error.info}}
    return {"errors": [{"code": error.code, "key": f"apierror-{error.code}", "params": []}]}

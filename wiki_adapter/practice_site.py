"""A wiki of the practice farm, or the practice wiki itself: what it answers, whoever serves it.

Knows MediaWiki's manners (errors are HTTP 200, the order of the checks) and every Trouble in which the
sidecar may find a wiki. Its nouns have files of their own: users, logins, acts, troubles, HTTP. Has no pages,
no mail and no other API.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from . import practice_about
from .practice_bounce import PracticeBounce
from .practice_central import PracticeCentral
from .practice_http import COOKIE, Reply, Request, page
from .practice_login import PracticeLogins, Session
from .practice_oauth import PracticeOAuth
from .practice_parameters import integer, required
from .practice_troubles import DISABLED, PAGES, REFUSALS, ApiError, Trouble
from .practice_users import PracticeUsers

__all__ = ["ACCOUNT", "PASSWORD", "PATH", "PracticeSite"]

ACCOUNT, PASSWORD = "BounceBot@sidecar", "practice" * 4
PATH = "/w/api.php"
SLOWNESS = 5.0  # seconds
LAG = 9  # seconds


class PracticeSite(PracticeUsers):
    """A wiki to practise on, safe from every thread."""

    def __init__(
        self,
        account: str = ACCOUNT,
        password: str = PASSWORD,
        *,
        wiki_id: str = "practicewiki",
        central: PracticeCentral | None = None,
    ) -> None:
        """*central* knows it by that id; without one it is a wiki without CentralAuth."""
        super().__init__()
        self.account, self._wiki_id = account, wiki_id
        self._central = central or PracticeCentral(provider="local")
        self._central.add_wiki(wiki_id, self)
        self._logins = PracticeLogins(account, password)
        self.oauth = PracticeOAuth(account.partition("@")[0])  #: the same account's consumers
        self._troubles: list[Trouble] = []
        self._closing = threading.Event()
        self._over = threading.Condition()
        self.hanging = 0  #: requests that wait for the trouble to be over

    def close(self) -> None:
        """Nobody need wait any longer."""
        self._closing.set()
        with self._over:
            self._over.notify_all()

    @property
    def password(self) -> str:
        """The one that is valid now, unless it was revoked."""
        return self._logins.password

    @property
    def logins(self) -> tuple[int, int]:
        """How many were accepted and refused."""
        return self._logins.accepted, self._logins.refused

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
            with self._over:
                self._over.notify_all()

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
        if Trouble.HANGING in self._troubles:
            self._hang()
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

    def _hang(self) -> None:
        with self._over:
            self.hanging += 1
            self._over.wait_for(lambda: Trouble.HANGING not in self._troubles or self._closing.is_set())
            self.hanging -= 1

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
            answer = self._query(given, session)
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

    def _query(self, given: Mapping[str, str], session: Session) -> dict[str, Any]:
        if given.get("meta") in ("siteinfo", "userinfo"):
            return {"batchcomplete": True, "query": self._self_portrait(given, session)}
        if {"list", "meta"} & given.keys() and given.get("meta") != "tokens":
            if not session.user or Trouble.NO_GRANT in self._troubles:
                raise ApiError("readapidenied", "You need read permission to use this module.")
            return {"batchcomplete": True, "query": self._central.answer(self._wiki_id, given)}
        return self._logins.tokens(given, session)

    def _self_portrait(self, given: Mapping[str, str], session: Session) -> dict[str, Any]:
        if Trouble.PRIVATE in self._troubles and not session.user:
            raise ApiError("readapidenied", "You need read permission to use this module.")
        if given["meta"] == "userinfo":
            return practice_about.userinfo(session.user, self._troubles)
        return practice_about.siteinfo(self._wiki_id, self._troubles, datetime.now(UTC))

    def _bounce(self, given: Mapping[str, str], session: Session, cookie: str) -> tuple[dict[str, Any], str]:
        for trouble, refusal in REFUSALS.items():
            if trouble in self._troubles:
                raise ApiError(*refusal)
        if not session.user:
            raise ApiError(*REFUSALS[Trouble.NO_RIGHT])
        asked = PracticeBounce(self, given, datetime.now(UTC))
        if Trouble.NO_CONFIRMING in self._troubles:
            raise ApiError(*DISABLED)
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

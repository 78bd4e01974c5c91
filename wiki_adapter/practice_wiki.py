"""A practice wiki: NOT a MediaWiki. A small server that answers our requests as a MediaWiki would.

For the demonstration and the tests: everything is in memory, on 127.0.0.1, and gone when it is closed.
Knows action=login, meta=tokens and action=emailbounce with MediaWiki's manners (errors are HTTP 200, the
order of the checks, the login throttle) and every Trouble in which the sidecar may find a wiki. Passes the
contract test that the real MediaWiki passes. Has no pages, no mail and no other API.
"""

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from .practice_http import COOKIE, PracticeServer, Reply, Request, page
from .practice_troubles import PAGES, REFUSALS, ApiError, Trouble

__all__ = ["Mailbox", "PracticeWiki", "Trouble"]

PATH = "/w/api.php"
THROTTLE = (5, 300.0)  # wrong passwords in so many seconds, as $wgPasswordAttemptThrottle
SLOWNESS = 5.0  # seconds
LAG = 9  # seconds
CLOCK_SKEW = 3600.0  # seconds by which a request may come from the future


@dataclass(frozen=True)
class Mailbox:
    """A user's address and when its owner confirmed it, None for never."""

    user_id: int
    name: str
    address: str
    confirmed_at: datetime | None


@dataclass
class Session:
    """What the wiki keeps behind one cookie."""

    user: str = ""  #: "" for a visitor
    login_token: str = field(default_factory=lambda: secrets.token_hex(16) + "+\\")
    csrf_token: str = "+\\"


class PracticeWiki:
    """A wiki to practise on. Serves from construction until ``close``; safe from every thread."""

    def __init__(
        self, account: str = "BounceBot@sidecar", password: str = "practice" * 4, port: int = 0
    ) -> None:
        self.account, self.password = account, password
        self._bot = account.partition("@")[0]
        self._users: dict[int, Mailbox] = {}
        self._log: list[tuple[int, str]] = []
        self._sessions: dict[str, Session] = {}
        self._wrong_logins: dict[str, list[float]] = {}
        self._troubles: list[Trouble] = []
        self._revoked = False
        self._key = secrets.token_bytes(32)
        self._lock = threading.RLock()
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

    def add_user(self, name: str, address: str, confirmed_at: datetime | None) -> int:
        """A new user; returns the user id."""
        with self._lock:
            user_id = len(self._users) + 2  # 1 is the bot
            self._users[user_id] = Mailbox(user_id, name, address, _to_the_second(confirmed_at))
            return user_id

    def mailbox(self, user_id: int) -> Mailbox:
        """What the wiki holds of a user now. Raises KeyError for a user that does not exist."""
        return self._users[user_id]

    def confirm(self, user_id: int, at: datetime) -> None:
        """The owner follows the link in the confirmation mail."""
        with self._lock:
            self._users[user_id] = replace(self._users[user_id], confirmed_at=_to_the_second(at))

    def change_address(self, user_id: int, address: str) -> None:
        """The user enters a new address, which nobody has confirmed yet."""
        with self._lock:
            self._users[user_id] = replace(self._users[user_id], address=address, confirmed_at=None)

    def log(self, user_id: int) -> list[str]:
        """The reasons that were given for acts on this user, oldest first."""
        return [reason for about, reason in self._log if about == user_id]

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
        self._sessions.clear()

    def revoke_password(self) -> None:
        """The bot password ends, and with it its sessions."""
        self._revoked = True
        self.lose_sessions()

    def renew_password(self, password: str) -> None:
        """The bot password is *password* from now on."""
        self.password, self._revoked = password, False
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
                said, cookie = self._act(request.method, given, request.cookie)
                return Reply(json.dumps(said), headers={"Set-Cookie": f"{COOKIE}={cookie}; path=/; HttpOnly"})
            except ApiError as error:
                headers = {"MediaWiki-API-Error": error.code, **error.headers}
                return Reply(json.dumps(_spelled(error, given)), headers=headers)

    def _act(self, method: str, given: Mapping[str, str], cookie: str) -> tuple[dict[str, Any], str]:
        """MediaWiki's order: asserts, module, token, read-only, lag, then the module itself."""
        session = self._sessions.get(cookie, Session())
        if (wanted := given.get("assertuser")) not in (None, session.user):
            raise ApiError(
                "assertnameduserfailed",
                f'You are no longer logged in as "{wanted}", so the action could not be completed.',
            )
        if given.get("action") == "query":
            return self._tokens(given, session, cookie)
        modules = {"login": self._log_in, "emailbounce": self._bounce}
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
        if Trouble.LAGGED in self._troubles and "maxlag" in given and _integer(given, "maxlag") < LAG:
            told = {"Retry_After": "5", "X_Database_Lag": str(LAG)}
            raise ApiError("maxlag", f"Waiting for a database server: {LAG} seconds lagged.", **told)
        return modules[module](given, session, cookie)

    def _tokens(self, given: Mapping[str, str], session: Session, cookie: str) -> tuple[dict[str, Any], str]:
        cookie = cookie if cookie in self._sessions else secrets.token_hex(16)
        self._sessions[cookie] = session
        tokens = {"logintoken": session.login_token, "csrftoken": session.csrf_token}
        name = given.get("type", "csrf") + "token"
        if name not in tokens:
            raise ApiError("badvalue", 'Unrecognized value for parameter "type".')
        return {"batchcomplete": True, "query": {"tokens": {name: tokens[name]}}}, cookie

    def _log_in(self, given: Mapping[str, str], session: Session, cookie: str) -> tuple[dict[str, Any], str]:
        if cookie not in self._sessions:
            return _login_failed("sessionlost", given), cookie
        if given.get("lgtoken") != session.login_token:
            return {"login": {"result": "WrongToken"}}, cookie
        most, period = THROTTLE
        now = time.monotonic()
        wrong = self._wrong_logins.setdefault(given.get("lgname", "").partition("@")[0], [])
        wrong[:] = [at for at in wrong if now - at < period]
        if len(wrong) >= most:
            return _login_failed("login-throttled", given, {"duration": int(period)}), cookie
        right = given.get("lgname") == self.account and given.get("lgpassword") == self.password
        if self._revoked or not right:
            wrong.append(now)
            return _login_failed("wrongpassword", given), cookie
        wrong.clear()
        del self._sessions[cookie]
        cookie = secrets.token_hex(16)
        self._sessions[cookie] = Session(self._bot, csrf_token=secrets.token_hex(16) + "+\\")
        return {"login": {"result": "Success", "lguserid": 1, "lgusername": self._bot}}, cookie

    def _bounce(self, given: Mapping[str, str], session: Session, cookie: str) -> tuple[dict[str, Any], str]:
        for trouble, refusal in REFUSALS.items():
            if trouble in self._troubles:
                raise ApiError(*refusal)
        if not session.user:
            raise ApiError(*REFUSALS[Trouble.NO_RIGHT])
        if (op := _required(given, "op")) != "unconfirm":
            raise ApiError("badvalue", f'Unrecognized value for parameter "op": {op}.')
        user_id, before = _integer(given, "userid"), _time(given, "confirmedbefore")
        user = self._users.get(user_id)
        if user is None:
            raise ApiError("nosuchuser", f"There is no user with ID {user_id}.")
        if Trouble.EXCEPTION in self._troubles:
            raise ApiError("internal_api_error_RuntimeException", "Exception caught: The disk is full")
        said: dict[str, Any] = {"op": "unconfirm", "userid": user.user_id}
        if user.confirmed_at is None:
            return {"emailbounce": {**said, "result": "already"}}, cookie
        said["confirmed"] = user.confirmed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        if user.confirmed_at >= before:
            return {"emailbounce": {**said, "result": "changed"}}, cookie
        self._users[user.user_id] = replace(user, confirmed_at=None)
        self._log.append((user.user_id, given.get("reason", "")))
        said |= {
            "result": "unconfirmed",
            "fingerprint": self._fingerprint(user.address),
            "logid": len(self._log),
        }
        return {"emailbounce": said}, cookie

    def _fingerprint(self, address: str) -> str:
        return hmac.new(self._key, address.encode(), hashlib.sha256).hexdigest()[:32]


def _to_the_second(moment: datetime | None) -> datetime | None:
    """MediaWiki's times have no fractions."""
    return moment and moment.astimezone(UTC).replace(microsecond=0)


def _check_token(method: str, given: Mapping[str, str], session: Session) -> None:
    token = _required(given, "token")
    if method != "POST":
        raise ApiError("mustpostparams", "In the query string, but must be in the POST body: token.")
    if token != session.csrf_token:
        raise ApiError("badtoken", "Invalid CSRF token.")


def _required(given: Mapping[str, str], name: str) -> str:
    if name not in given:
        raise ApiError("missingparam", f'The "{name}" parameter must be set.')
    return given[name]


def _integer(given: Mapping[str, str], name: str) -> int:
    value = _required(given, name)
    try:
        return int(value)
    except ValueError:
        raise ApiError("badinteger", f'Invalid value "{value}" for integer parameter "{name}".') from None


def _time(given: Mapping[str, str], name: str) -> datetime:
    value = _required(given, name)
    bad = ApiError("badtimestamp", f'Invalid value "{value}" for timestamp parameter "{name}".')
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise bad from None
    if moment.timestamp() > time.time() + CLOCK_SKEW:
        raise bad
    return moment


def _spelled(error: ApiError, given: Mapping[str, str]) -> dict[str, Any]:
    if given.get("errorformat", "bc") == "bc":
        return {"error": {"code": error.code, "info": error.info}}
    return {"errors": [{"code": error.code, "key": f"apierror-{error.code}", "params": []}]}


def _login_failed(code: str, given: Mapping[str, str], *params: Mapping[str, int]) -> dict[str, Any]:
    raw = given.get("errorformat", "bc") != "bc"
    reason = (
        {"code": code, "key": code, "params": list(params)}
        if raw
        else "Incorrect username or password entered. Please try again."
    )
    return {"login": {"result": "Failed", "reason": reason}}

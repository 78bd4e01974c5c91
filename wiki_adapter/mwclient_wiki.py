"""One wiki by way of mwclient, with a bot password.

Knows the requests we make and the order they need: login, token, action. Does not know how an action is
spelled (emailbounce.py), what an error means (answers.py) nor what is tried again in an hour (the outbox).
mwclient's own patience, 25 retries and up to 2.5 hours inside one call, is switched off: seconds belong to
tenacity, here.

No password, token or mail address leaves this file in an exception: foreign exceptions hold the request
they failed with, so ours are raised outside of the ``except`` that caught them, without a context.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import mwclient
import requests
import tenacity

from sidecar import __version__
from sidecar.domain.wiki import Action, Outcome, WikiError, WikiUnavailable

from . import WikiAccess
from .answers import LoggedOut, Passing, error_in, from_code, from_exception, from_login, from_response
from .deadline import DeadlineAdapter
from .emailbounce import MODULE, not_understood, outcome, parameters

__all__ = ["MwclientWiki"]

ATTEMPTS = 3  # within one call; the outbox goes on from there
PATIENCE = 5.0  # seconds after which no further attempt begins: other users' actions wait for this thread
LONGEST_WAIT = 2.0  # seconds between two attempts; whoever asks for more is asked again by the outbox
LONGEST_ANSWER = 1 << 20  # octets; ours have some hundreds
MAX_LAG = 5  # seconds; https://www.mediawiki.org/wiki/Manual:Maxlag_parameter recommends it for bots


class MwclientWiki:
    """A wiki with the companion extension. Logs in at the first action, and again when it was forgotten."""

    def __init__(self, access: WikiAccess, *, sleep: Callable[[float], None] = tenacity.nap.sleep) -> None:
        url = urlsplit(access.api_url)
        self._access = access
        self._user = access.account.partition("@")[0]  # assertuser knows no bot password names
        self._site = mwclient.Site(
            url.netloc,
            path=url.path.rpartition("/")[0] + "/",
            scheme=url.scheme,
            clients_useragent=f"bounce-sidecar/{__version__} ({access.contact})",
            max_retries=0,
            do_init=False,
            connection_options={"timeout": (access.connect_timeout, access.read_timeout)},
        )
        self._deadline = DeadlineAdapter(access.answer_timeout)
        for scheme in ("http://", "https://"):
            self._site.connection.mount(scheme, self._deadline)
        self._site.connection.headers["Accept-Encoding"] = "identity"  # what comes is what it costs
        self._site.connection.hooks["response"].append(_only_answers)
        self._patiently = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_waiting_for),
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_after_delay(PATIENCE),
            wait=_pause,
            sleep=sleep,
            reraise=True,
        )

    def perform(self, action: Action) -> Outcome:
        """Carry out *action*. Blocks for seconds at most; repeatable; for one thread at a time.

        Raises WikiUnavailable, WikiMisconfigured or WikiRefused, and nothing else.
        """
        try:
            return self._patiently(self._logged_in, action)
        except Exception as error:
            trouble = from_exception(error)
        if isinstance(trouble, Passing | LoggedOut):  # our own concern alone
            trouble = WikiUnavailable(str(trouble), retry_after=trouble.retry_after)
        raise trouble.with_traceback(None)  # its frames hold the password

    def close(self) -> None:
        """Let the connection and the session go; nothing is asked of it afterwards."""
        self._site.connection.close()

    def _logged_in(self, action: Action) -> Outcome:
        """The action, with a login before it if there is none, and once more if the wiki has forgotten it."""
        if "csrf" in self._site.tokens:
            try:
                return self._act(action)
            except LoggedOut:
                pass
        self._log_in()
        return self._act(action)

    def _log_in(self) -> None:
        """A new session and its token.

        Not mwclient's login: that cannot tell a wrong password from a throttled login, and each try at a
        wrong one brings MediaWiki's throttle nearer (the 6th in 300 seconds).
        """
        self._site.connection.cookies.clear()
        self._site.tokens.clear()
        token = _token(self._ask("query", meta="tokens", type="login"), "logintoken")
        secrets = {"lgpassword": self._access.password, "lgtoken": token}
        result = self._ask("login", lgname=self._access.account, errorformat="raw", **secrets)
        if result.get("result") != "Success":
            raise from_login(result)
        answer = self._ask("query", meta="tokens", type="csrf", assertuser=self._user)
        self._site.tokens["csrf"] = _token(answer, "csrftoken")

    def _act(self, action: Action) -> Outcome:
        session = {"token": self._site.tokens["csrf"], "assertuser": self._user}
        return outcome(self._ask(MODULE, **parameters(action), **session, maxlag=MAX_LAG))

    def _ask(self, module: str, **fields: str | int) -> Mapping[str, Any]:
        """One request, and what stands under the module's name in the answer."""
        method = "GET" if module == "query" else "POST"  # no secret ever stands in a URL
        options = {"retry_on_error": False, "formatversion": 2}
        with self._deadline.running() as cut:
            try:
                answer = self._site.raw_api(module, method, **options, **fields)
                trouble = self._error_in(answer, module)
            except Exception as error:
                trouble = from_exception(error)
        if trouble and cut.is_set():
            trouble = WikiUnavailable(f"no whole answer within {self._deadline.seconds:g} s")
        if trouble:
            raise trouble
        found: Mapping[str, Any] = answer[module]
        return found

    def _error_in(self, answer: object, module: str) -> WikiError | None:
        """What is wrong with an answer, if anything."""
        if not isinstance(answer, dict):
            return Passing("the answer is JSON, but not of MediaWiki's API")
        if error := error_in(answer):
            code, info = error
            for secret in filter(None, (self._access.password, *self._site.tokens.values())):
                info = info.replace(secret, "<secret>")
            return from_code(code, info)
        if not isinstance(answer.get(module), dict):
            return not_understood(f"no {module} in it")
        return None


def _only_answers(response: requests.Response, **_options: object) -> None:
    """Called by requests before anything is read: raises unless the body holds the wiki's answer.

    So no redirect is followed: it would turn POST into GET, or carry the password elsewhere. And here the
    headers are at hand: mwclient would lose Retry-After, and repeat or log what it cannot use.
    """
    trouble = from_response(response.status_code, response.headers)
    length = response.headers.get("Content-Length", "")
    if trouble is None and length.isdigit() and int(length) > LONGEST_ANSWER:
        trouble = WikiUnavailable(f"an answer of {length} octets is none of MediaWiki's API")
    if trouble:
        response.close()
        raise trouble


def _worth_waiting_for(error: BaseException) -> bool:
    return isinstance(error, Passing) and (error.retry_after or 0.0) <= LONGEST_WAIT


_backoff = tenacity.wait_exponential_jitter(multiplier=0.3, max=LONGEST_WAIT, jitter=0.5)


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: ours, or what the wiki asked for if that is longer."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Passing) else None
    return max(_backoff(state), asked or 0.0)


def _token(answer: Mapping[str, Any], name: str) -> str:
    tokens = answer.get("tokens")
    token = tokens.get(name) if isinstance(tokens, dict) else None
    if not isinstance(token, str):
        raise not_understood(f"no {name}")
    return token

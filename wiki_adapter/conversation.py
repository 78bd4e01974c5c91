"""The companion extension's API, by whatever brings a request there: login, token, action.

Knows the requests we make and the order they need, for each kind of credentials. Does not know HTTP, how an
action is spelled (emailbounce.py) nor what an error means (answers.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from sidecar.domain.access import BotPassword, Credentials, OAuth1, OAuth2
from sidecar.domain.examination import Examination, Step
from sidecar.domain.person import Person
from sidecar.domain.wiki import Action, Outcome, WikiMisconfigured, WikiRefused

from . import centralauth, examining
from .answers import from_login
from .caller import MAX_LAG, Caller, Sleep
from .codes import CODES, OAUTH_CODES, LoggedOut
from .emailbounce import MODULE, not_understood, outcome, parameters
from .transport import Transport

__all__ = ["Conversation"]

R = TypeVar("R")


class Conversation:
    """A wiki with the companion extension. Logs in at the first action, and again when it was forgotten."""

    def __init__(self, transport: Transport, credentials: Credentials, sleep: Sleep | None) -> None:
        self.transport, self._credentials = transport, credentials
        self._secrets = _secrets_of(credentials)
        self._token = ""  # the CSRF token; "" before the login
        by_password = isinstance(credentials, BotPassword)
        self._caller = Caller(transport, CODES if by_password else OAUTH_CODES, sleep)

    def perform(self, action: Action) -> Outcome:
        """Carry out *action*. Blocks for seconds at most; repeatable; for one thread at a time.

        Raises WikiUnavailable, WikiMisconfigured or WikiRefused, and nothing else.
        """
        return self._caller.patiently(lambda: self._logged_in(lambda: self._act(action)))

    def identify(self, user_id: int) -> Person:
        """To whom this account belongs centrally. Blocks, repeats and raises as ``perform`` does."""
        asking = partial(centralauth.identify, self._look_up, user_id)
        return self._caller.patiently(lambda: self._logged_in(asking))

    def examine(self, *, login: bool = True) -> Examination:
        """Go as far as one gets, and change nothing. Blocks for seconds at most, and raises nothing."""
        steps = [(Step.ANSWER, self._look_from_outside)]
        if login:
            steps += [(Step.LOGIN, self._look_from_inside), (Step.ACT, self._act_idly)]
        return examining.examined(self._caller.patiently, steps)

    def close(self) -> None:
        """Let the connection and the session go; nothing is asked of it afterwards."""
        self._caller.close()

    def _logged_in(self, question: Callable[[], R]) -> R:
        """With a login before it if there is none, and once more if the wiki has forgotten it."""
        if self._token:
            try:
                return question()
            except LoggedOut:
                pass
        self._log_in()
        return question()

    def _log_in(self) -> None:
        """A new session and its token; with OAuth the token alone, as each request says who asks.

        Not a library's login: that cannot tell a wrong password from a throttled login, and each try at a
        wrong one brings MediaWiki's throttle nearer (the 6th in 300 seconds).
        """
        self._token = ""
        self._caller.transport.forget()
        if isinstance(self._credentials, BotPassword):
            self._log_in_by(self._credentials)
        answer = self._ask("query", meta="tokens", type="csrf", **self._asserted())
        self._token = _token(answer, "csrftoken")

    def _log_in_by(self, bot: BotPassword) -> None:
        token = _token(self._ask("query", meta="tokens", type="login"), "logintoken")
        fields = {"lgname": bot.account, "lgpassword": bot.password, "lgtoken": token}
        result = self._caller.ask("login", {**fields, "errorformat": "raw"}, (*self._secrets, token))
        if result.get("result") != "Success":
            raise from_login(result)

    def _act(self, action: Action) -> Outcome:
        session = {"token": self._token, **self._asserted()}
        return outcome(self._ask(MODULE, **parameters(action), **session, maxlag=MAX_LAG))

    def _look_from_outside(self, found: Examination) -> Examination:
        try:
            return replace(found, about=examining.about(self._ask("query", **examining.ABOUT)))
        except WikiMisconfigured as error:
            if not str(error).startswith("readapidenied"):  # a private wiki: it answers, and tells us later
                raise
        return found

    def _look_from_inside(self, found: Examination) -> Examination:
        self._log_in()
        told = found.about or examining.about(self._look_up(examining.ABOUT))
        account = examining.account(self._look_up(examining.ACCOUNT), told.may_act)
        return replace(found, about=told, account=account)

    def _act_idly(self, found: Examination) -> Examination:
        session = {"token": self._token, **self._asserted()}
        try:
            self._ask(MODULE, **examining.IDLE, **session)
        except WikiRefused:  # there is no such user, and nothing else was in the way
            return found
        raise not_understood("nobody is somebody")

    def _look_up(self, question: Mapping[str, str | int]) -> Mapping[str, Any]:
        return self._ask("query", **question, **self._asserted())

    def _asserted(self) -> dict[str, str]:
        """Without it, a lost session would look like a missing right.

        With OAuth no session is lost, but what stands between may take the Authorization header away, or the
        wiki may not know OAuth; then we would be anonymous. Whose the token is, only the wiki knows.
        """
        if isinstance(self._credentials, BotPassword):
            return {"assertuser": self._credentials.account.partition("@")[0]}  # knows no bot password names
        return {"assert": "user"}

    def _ask(self, module: str, **fields: str | int) -> Mapping[str, Any]:
        return self._caller.ask(module, fields, (*self._secrets, self._token))


def _secrets_of(credentials: Credentials) -> tuple[str, ...]:
    match credentials:
        case BotPassword():
            return (credentials.password,)
        case OAuth1():
            return credentials.consumer_secret, credentials.access_secret, credentials.access_token
        case OAuth2():
            return (credentials.access_token,)


def _token(answer: Mapping[str, Any], name: str) -> str:
    tokens = answer.get("tokens")
    token = tokens.get(name) if isinstance(tokens, dict) else None
    if not isinstance(token, str):
        raise not_understood(f"no {name}")
    return token

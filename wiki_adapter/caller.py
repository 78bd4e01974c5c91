"""Asking a wiki: a few seconds' patience, and errors that are ours.

Knows what is worth repeating at once, and where an answer holds an error. Does not know what is asked, how it
gets there (transport.py), what an error means (answers.py) nor what is tried again in an hour (the outbox).
No password, token or mail address leaves in an exception.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import tenacity

from sidecar.domain.wiki import WikiError, WikiUnavailable

from .answers import error_in, from_code, from_exception
from .codes import Answer, LoggedOut, Passing
from .emailbounce import not_understood
from .transport import Transport

__all__ = ["MAX_LAG", "Caller", "Sleep"]

ATTEMPTS = 3  # within one call; the outbox goes on from there
PATIENCE = 5.0  # seconds after which no further attempt begins: other users' actions wait for this thread
LONGEST_WAIT = 2.0  # seconds between two attempts; whoever asks for more is asked again by the outbox
MAX_LAG = 5  # seconds; https://www.mediawiki.org/wiki/Manual:Maxlag_parameter recommends it for bots

Sleep = Callable[[float], None]
R = TypeVar("R")


class Caller:
    """One wiki to ask, for one thread at a time."""

    def __init__(self, transport: Transport, codes: Mapping[str, Answer], sleep: Sleep | None = None) -> None:
        self.transport, self._codes = transport, codes
        self._patiently = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_waiting_for),
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_after_delay(PATIENCE),
            wait=_pause,
            sleep=sleep or tenacity.nap.sleep,
            reraise=True,
        )

    def patiently(self, work: Callable[[], R]) -> R:
        """What *work* returns, at once or after a moment.

        Raises WikiUnavailable, WikiMisconfigured or WikiRefused, and nothing else.
        """
        try:
            answer: R = self._patiently(work)
            return answer
        except Exception as error:
            trouble = from_exception(error)
        if isinstance(trouble, Passing | LoggedOut):  # our own concern alone
            passing, trouble = trouble, WikiUnavailable(str(trouble), retry_after=trouble.retry_after)
            trouble.remedy = passing.remedy
        raise trouble.with_traceback(None)  # its frames hold the password

    def close(self) -> None:
        """Let the connection and the session go; nothing is asked of it afterwards."""
        self.transport.close()

    def ask(
        self, module: str, fields: Mapping[str, str | int], secrets: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """One request, and what stands under the module's name in the answer; *secrets* not."""
        method = "GET" if module == "query" else "POST"  # no secret ever stands in a URL
        said = {**fields, "action": module, "format": "json", "formatversion": 2}
        answer = _without(tuple(filter(None, secrets)), self.transport.send(method, said))
        if trouble := self._error_in(answer, module):
            raise trouble
        found: Mapping[str, Any] = answer[module]
        return found

    def _error_in(self, answer: object, module: str) -> WikiError | None:
        """What is wrong with an answer, if anything."""
        if not isinstance(answer, dict):
            return Passing("the answer is JSON, but not of MediaWiki's API")
        if error := error_in(answer):
            return from_code(*error, self._codes)
        if not isinstance(answer.get(module), dict):
            return not_understood(f"no {module} in it")
        return None


def _without(secrets: Collection[str], said: Any) -> Any:
    """What the wiki *said*, in which it may have repeated what we told it: any of it may be logged."""
    if isinstance(said, str):
        for secret in secrets:
            said = said.replace(secret, "<secret>")
        return said
    if isinstance(said, dict):
        return {_without(secrets, name): _without(secrets, value) for name, value in said.items()}
    return [_without(secrets, one) for one in said] if isinstance(said, list) else said


def _worth_waiting_for(error: BaseException) -> bool:
    return isinstance(error, Passing) and (error.retry_after or 0.0) <= LONGEST_WAIT


_backoff = tenacity.wait_exponential_jitter(multiplier=0.3, max=LONGEST_WAIT, jitter=0.5)


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: ours, or what the wiki asked for if that is longer."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Passing) else None
    return max(_backoff(state), asked or 0.0)

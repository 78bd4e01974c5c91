"""What the contract of wikis speaks of: a user, a mail, an action, the error of each mood.

Knows the port and the bench. Does not know the promises.
"""

import traceback
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from sidecar.domain.access import BotPassword, Credentials
from sidecar.domain.wiki import (
    Action,
    Mistyped,
    Outcome,
    Restore,
    Unconfirm,
    Warn,
    Wiki,
    WikiError,
    WikiMisconfigured,
    WikiUnavailable,
)
from tests.contract.bench import Mood, WikiBench

CONFIRMED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SENT = datetime(2026, 3, 20, 8, 30, 15, tzinfo=UTC)  # the oldest mail that counted
LATER = datetime(2026, 3, 25, 9, 0, 1, tzinfo=UTC)
REASON = "3 hard bounces in 9 days: 5.1.1 user unknown"
ADDRESS = "nora.näscher@mail.example.org"

MOODS: dict[Mood, type[WikiError]] = {
    Mood.READ_ONLY: WikiUnavailable,
    Mood.LAGGED: WikiUnavailable,
    Mood.RATE_LIMITED: WikiUnavailable,
    Mood.HTTP_500: WikiUnavailable,
    Mood.HTTP_503: WikiUnavailable,
    Mood.HTTP_429: WikiUnavailable,
    Mood.NOT_JSON: WikiUnavailable,
    Mood.EXCEPTION: WikiUnavailable,
    Mood.SLOW: WikiUnavailable,
    Mood.BOT_BLOCKED: WikiMisconfigured,
    Mood.NO_RIGHT: WikiMisconfigured,
    Mood.NO_GRANT: WikiMisconfigured,
    Mood.NO_EXTENSION: WikiMisconfigured,
}

#: Asking again at once would only annoy a wiki that has said when, or a person who has to mend something.
NOT_REPEATED = set(MOODS) - {Mood.READ_ONLY, Mood.HTTP_500, Mood.NOT_JSON}


def assert_no_secret(text: str, passwords: set[str]) -> None:
    assert not [password for password in passwords if password in text]
    assert "+\\" not in text  # every token of MediaWiki ends so
    assert "%2B%5C" not in text
    assert ADDRESS not in text


def secrets_of(credentials: Credentials) -> set[str]:
    """What of them nobody may see."""
    if isinstance(credentials, BotPassword):
        return {credentials.password}
    return set(vars(credentials).values())


def a_user(bench: WikiBench, confirmed_at: datetime | None = CONFIRMED, groups: Collection[str] = ()) -> int:
    return bench.add_user(f"U{uuid4().hex}", ADDRESS, confirmed_at, groups)


def warn(user_id: int, before: datetime = SENT, protect: Collection[str] = ()) -> Warn:
    return Warn("testwiki", user_id, before, REASON, frozenset(protect))


def unconfirm(
    user_id: int, before: datetime = SENT, protect: Collection[str] = (), *, announce: bool = False
) -> Unconfirm:
    return Unconfirm("testwiki", user_id, before, REASON, frozenset(protect), announce)


#: What a sidecar asks for when mail was sent to a confirmed address and came back.
COUNTED: list[Callable[..., Action]] = [warn, unconfirm]


def restore(user_id: int, taken: Outcome) -> Restore:
    """The way back from *taken*, the answer to an un-confirmation."""
    assert taken.confirmed_at
    return Restore("testwiki", user_id, taken.confirmed_at, taken.fingerprint, REASON)


def mistyped(user_id: int, sent: datetime) -> Mistyped:
    return Mistyped("testwiki", user_id, sent, REASON)


def refusal(wiki: Wiki, action: Action, kind: type[WikiError], *secrets: str) -> WikiError:
    """The error that *action* ends with: of exactly this kind, and with no secret in it anywhere."""
    with pytest.raises(WikiError) as caught:
        wiki.perform(action)
    error = caught.value
    assert type(error) is kind, repr(error)
    shown = "".join(traceback.format_exception(error, chain=True)) + repr(error) + repr(vars(error))
    assert_no_secret(shown, set(secrets))
    return error

"""Answers of a wiki that are JSON and nothing else right: every field of every answer that we read, spoilt.

Knows healthy answers, and what may stand in a field instead. Does not know HTTP (wire.py does).
"""

import copy
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sidecar.domain.examination import Examination
from sidecar.domain.wiki import Outcome, Unconfirm, WikiError, WikiUnavailable
from tests.attack.tally import Tally, rounds
from tests.attack.wiki.hostile import CSRF, PASSWORD, steps_of
from wiki_adapter import BotPassword
from wiki_adapter.conversation import Conversation
from wiki_adapter.transport import Fields

__all__ = ["HEALTHY", "campaign", "places", "spoilt"]

ACTION = Unconfirm("testwiki", 5, datetime(2026, 3, 20, 8, 30, tzinfo=UTC), "3 hard bounces")
LONGEST_WAIT = 86_400.0  # seconds that a wiki may ask for
LONGEST_WORDS = 600  # characters of an error: the wiki's 300, and ours
LEAST = 300  # attacks in the shortest campaign
TIME = "2026-03-01T12:00:00Z"

#: What a healthy wiki says, by what was asked.
HEALTHY: dict[str, Any] = {
    "login token": {"query": {"tokens": {"logintoken": "login+\\"}}},
    "login": {"login": {"result": "Success", "lguserid": 3, "lgusername": "BounceBot"}},
    "refused login": {
        "login": {"result": "Failed", "reason": {"code": "login-throttled", "params": [{"duration": 300}]}}
    },
    "csrf token": {"query": {"tokens": {"csrftoken": CSRF}}},
    "emailbounce": {
        "emailbounce": {"result": "unconfirmed", "confirmed": TIME, "fingerprint": "0123456789abcdef"}
    },
    "protected": {"emailbounce": {"result": "protected", "group": "sysop"}},
    "error": {"error": {"code": "readonly", "info": "Backup.", "lag": 3}},
    "errors": {"errors": [{"code": "readonly", "key": "readonlytext", "module": "main"}]},
    "users": {
        "query": {
            "users": [
                {
                    "userid": 5,
                    "name": "Ann",
                    "attachedlocal": {"CentralAuth": True},
                    "centralids": {"CentralAuth": 9},
                }
            ]
        }
    },
    "globaluserinfo": {
        "query": {
            "globaluserinfo": {
                "home": "testwiki",
                "id": 9,
                "merged": [{"wiki": "testwiki", "id": 5, "timestamp": TIME, "method": "login"}],
            }
        }
    },
    "siteinfo": {
        "query": {
            "general": {"wikiid": "testwiki", "generator": "MediaWiki 1.43.9", "time": TIME},
            "extensions": [{"name": "BounceSidecar", "version": "1.0.0"}],
            "usergroups": [{"name": "bouncesidecar", "rights": ["emailbounce"]}],
        }
    },
    "userinfo": {
        "query": {
            "userinfo": {"id": 3, "name": "BounceBot", "groups": ["bouncesidecar"], "rights": ["emailbounce"]}
        }
    },
}  # fmt: skip

#: Which of them stand for which step, and how the step is reached.
STEPS = {
    "protected": "emailbounce",
    "error": "emailbounce",
    "errors": "emailbounce",
    "refused login": "login",
}

#: Answers that come before the wiki has given its CSRF token to us: until then it is none of our secrets.
BEFORE = ("login token", "login", "refused login", "csrf token")

WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1 << 31, 1 << 63, -(1 << 63), 10**400, -(10**17), 0.5, 1e308,
    float("inf"), float("-inf"), float("nan"), "", "0", "x" * 5000, "\0", "\x1b[2J\x1b]0;x\7", "\ud800",
    "a\r\nb: c", "<b>", "ann@example.org", PASSWORD, CSRF, f"x{PASSWORD}y",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "99999-01-01T00:00:00Z",
    "unconfirmed", "changed", "restored", [], {}, [[]], [None], [PASSWORD], {"": None},
    {PASSWORD: PASSWORD}, [1] * 5000, {"code": PASSWORD, "info": CSRF},
    {"code": "login-throttled", "params": [{"duration": -(10**17)}]},
)  # fmt: skip


class Said:
    """A transport that answers what it was given; the port's promise is that nothing else comes than JSON."""

    def __init__(self, answers: dict[str, object]) -> None:
        self._answers = answers

    def send(self, method: str, fields: Fields) -> object:
        asked = {name: str(value) for name, value in fields.items()}
        for name, mark in (("users", "users"), ("globaluserinfo", "globaluserinfo")):
            if mark in (asked.get("list"), asked.get("meta")):
                return self._answers[name]
        if asked.get("meta") in ("siteinfo", "userinfo"):
            return self._answers[asked["meta"]]
        return self._answers[steps_of(asked)]

    def forget(self) -> None: ...

    def close(self) -> None: ...


def places(answer: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something could be wrong: each value of an answer, the whole of it included."""
    yield path
    for key in answer if isinstance(answer, dict) else range(len(answer)) if isinstance(answer, list) else ():
        yield from places(answer[key], (*path, key))


def spoilt(answer: Any, path: tuple[Any, ...], value: Any) -> Any:
    """*answer* with *value* at that place."""
    if not path:
        return value
    made = copy.deepcopy(answer)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made


def campaign(seed: int, seconds: float) -> Tally:
    """One to three wrong values at once, in one answer each."""
    tally = Tally()
    for chance in rounds(seed, seconds, at_least=LEAST):
        name = chance.choice(list(HEALTHY))
        _attack(name, _damaged(HEALTHY[name], chance), tally)
    return tally


def _damaged(answer: Any, chance: random.Random) -> Any:
    for _ in range(chance.choice((1, 1, 2, 3))):
        answer = spoilt(answer, chance.choice(list(places(answer))), chance.choice(WRONG))
    return answer


def _attack(name: str, answer: object, tally: Tally) -> None:
    wiki = Conversation(
        Said({**HEALTHY, STEPS.get(name, name): answer}), BotPassword("BounceBot@sidecar", PASSWORD), _at_once
    )
    tally.count(name)
    secrets = (PASSWORD,) if name in BEFORE else (PASSWORD, CSRF)
    for one in _heard(wiki, secrets):
        tally.wrong(f"{name}: {one}", repr(answer).encode())


def _at_once(_seconds: float) -> None: ...


def _heard(wiki: Conversation, secrets: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with how a wiki's words are taken by all that we ask of it."""
    for ask in (wiki.perform, wiki.identify):
        try:
            found = ask(ACTION if ask == wiki.perform else 5)  # type: ignore[operator]
        except WikiError as error:
            yield from _words(error, secrets)
        except Exception as error:
            yield f"{type(error).__name__} leaves {ask.__name__}"
        else:
            if isinstance(found, Outcome):
                yield from _outcome(found, secrets)
    examination: Examination = wiki.examine()
    if examination.trouble:
        yield from _words(examination.trouble, secrets)
    if any(one in repr(examination) for one in secrets):
        yield "a secret in the examination"


def _outcome(found: Outcome, secrets: tuple[str, ...]) -> Iterator[str]:
    for word in (found.fingerprint, found.group):
        if len(word) > 255 or not word.isprintable() or any(one in word for one in secrets):
            yield f"the outcome has a word that is none: {word[:80]!r}"


def _words(error: WikiError, secrets: tuple[str, ...]) -> Iterator[str]:
    words = str(error)
    if any(one in words for one in secrets):
        yield "a secret in an error"
    if "ann@example.org" in words:
        yield "an address in an error"
    if not words.isprintable() or len(words) > LONGEST_WORDS:
        yield f"words that no log should have: {words[:100]!r}"
    wait = error.retry_after if isinstance(error, WikiUnavailable) else None
    if wait is not None and not 0 <= wait <= LONGEST_WAIT:
        yield f"a wait of {wait} s"

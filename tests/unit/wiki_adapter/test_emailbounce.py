"""How actions are spelled for the wiki, and what its answers mean. What wikis do is in tests/contract."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from sidecar.domain.wiki import (
    Action,
    Effect,
    Mistyped,
    Outcome,
    Restore,
    Unconfirm,
    Warn,
    WikiMisconfigured,
    WikiRefused,
)
from wiki_adapter.emailbounce import outcome, parameters

MOMENT, SPELLED = datetime(2026, 3, 20, 8, 30, 15, 999_999, tzinfo=UTC), "2026-03-20T08:30:15Z"
GROUPS, REASON = frozenset({"sysop", "bot"}), "3 hard bounces"
UNCONFIRM = Unconfirm("testwiki", 5, MOMENT, REASON)

SPELLINGS: list[tuple[Action, dict[str, str]]] = [
    (UNCONFIRM, {"op": "unconfirm", "confirmedbefore": SPELLED, "announce": "1"}),
    (
        replace(UNCONFIRM, announce=False, protect=GROUPS),
        {"op": "unconfirm", "confirmedbefore": SPELLED, "protect": "bot|sysop"},
    ),
    (Warn("testwiki", 5, MOMENT, REASON), {"op": "warn", "confirmedbefore": SPELLED}),
    (
        Warn("testwiki", 5, MOMENT, REASON, GROUPS),
        {"op": "warn", "confirmedbefore": SPELLED, "protect": "bot|sysop"},
    ),
    (
        Restore("testwiki", 5, MOMENT, "f00d", REASON),
        {"op": "restore", "confirmed": SPELLED, "fingerprint": "f00d"},
    ),
    (Restore("testwiki", 5, MOMENT, "", REASON), {"op": "restore", "confirmed": SPELLED, "fingerprint": ""}),
    (Mistyped("testwiki", 5, MOMENT, REASON), {"op": "mistyped", "sent": SPELLED}),
]


@pytest.mark.parametrize(("action", "spelled"), SPELLINGS)
def test_an_action_has_its_spelling(action: Action, spelled: dict[str, str]) -> None:
    assert parameters(action) == {**spelled, "userid": 5, "reason": REASON}


def test_every_kind_of_action_has_one() -> None:
    assert {type(action) for action, _ in SPELLINGS} == set(get_args(Action))


@pytest.mark.parametrize(
    "action",
    [
        replace(UNCONFIRM, confirmed_before=datetime(2026, 3, 20)),
        Warn("testwiki", 5, datetime(2026, 3, 20), REASON),
        Restore("testwiki", 5, datetime(2026, 3, 20), "f00d", REASON),
        Mistyped("testwiki", 5, datetime(2026, 3, 20), REASON),
    ],
    ids=lambda action: type(action).__name__,
)
def test_a_time_without_a_zone_is_never_sent(action: Action) -> None:
    with pytest.raises(WikiRefused, match="time zone"):
        parameters(action)


@pytest.mark.parametrize("effect", sorted(set(Effect) - {Effect.SUBMITTED}))
def test_every_effect_is_understood(effect: Effect) -> None:
    assert outcome({"result": str(effect)}) == Outcome(effect)


def test_the_extension_never_says_that_it_has_left_something_to_a_job() -> None:
    with pytest.raises(WikiMisconfigured, match="unknown result"):
        outcome({"result": "submitted"})


def test_an_answer_is_understood_with_all_that_it_says() -> None:
    answer = {
        "result": "already",
        "confirmed": "2026-03-01T12:00:00+02:00",
        "fingerprint": "f00d",
        "logid": 3,
    }
    taken = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert outcome(answer) == Outcome(Effect.ALREADY, confirmed_at=taken, fingerprint="f00d")
    assert outcome({"result": "protected", "group": "bot"}) == Outcome(Effect.PROTECTED, group="bot")

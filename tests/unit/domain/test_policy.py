"""The policy as tables: days on which mail was sent that bounced hard, and what follows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.policy import PRESETS, HardBounce, Rule, Streak, Window, decide

T0 = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def on_days(days: list[float]) -> list[HardBounce]:
    return [HardBounce(n, T0 + timedelta(days=day), "user-unknown") for n, day in enumerate(days)]


def counted(rule: Rule, days: list[float], today: float) -> int:
    decision = decide("enwiki", 7, on_days(days), rule, T0 + timedelta(days=today))
    return len(decision.because) if decision else 0


@pytest.mark.parametrize(
    ("days", "today", "count"),
    [
        ([], 0, 0),
        ([0], 30, 0),
        ([0, 4], 30, 0),
        ([0, 4, 6.9], 6.99, 0),  # three, but the oldest is not a week old
        ([0, 4, 8], 8, 3),
        ([8, 0, 4], 8, 3),  # bounces arrive in any order
        ([0, 0, 0], 7, 3),  # exactly a week
        ([0, 1, 2, 3, 8], 8, 5),
        ([0, 61, 62], 62, 0),  # the first is forgotten
        ([0, 61, 62, 70], 70, 3),
        ([0, 60, 120], 120, 3),
        ([0, 4, 8], 400, 3),  # what was due stays due, however long the wiki is down
    ],
)
def test_the_specifications_streak(days: list[float], today: float, count: int) -> None:
    assert counted(PRESETS["specification"], days, today) == count


@pytest.mark.parametrize(
    ("preset", "days", "count"),
    [
        ("wikimedia", [0, 1, 2, 3], 0),
        ("wikimedia", [0, 1, 2, 3, 4], 5),
        ("wikimedia", [0, 4, 5, 6, 8], 0),
        ("wikimedia", [0, 4, 5, 6, 7], 5),
        ("bouncehandler", [0.1] * 9, 0),
        ("bouncehandler", [0.1] * 10, 10),
        ("bouncehandler", [0.0] + [7.1] * 9, 0),
    ],
)
def test_windows_count_within_their_period(preset: str, days: list[float], count: int) -> None:
    assert counted(PRESETS[preset], days, max(days)) == count
    assert counted(PRESETS[preset], days, max(days) + 400) == count


def test_the_action_carries_the_condition_under_which_it_holds() -> None:
    decision = decide("enwiki", 7, on_days([4, 0, 8]), Streak(), T0 + timedelta(days=8))
    assert decision
    assert decision.action.confirmed_before == T0
    assert (decision.action.wiki, decision.action.user_id) == ("enwiki", 7)
    assert decision.action.reason == ("3 hard bounces of mail sent 2026-11-01 to 2026-11-09 (user-unknown)")
    assert [bounce.id for bounce in decision.because] == [1, 0, 2]


@given(
    days=st.lists(st.floats(0, 200), max_size=12),
    rule=st.sampled_from([*PRESETS.values(), Streak(1, timedelta(0)), Window(1, timedelta(0))]),
    waits=st.floats(0, 1000),
)
def test_what_is_due_stays_due_while_it_waits(days: list[float], rule: Rule, waits: float) -> None:
    today = max(days, default=0)
    if due := counted(rule, days, today):
        assert due >= rule.hard_bounces
        assert counted(rule, days, today + waits) == due

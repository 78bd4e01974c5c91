"""The policy as tables: days on which mail was sent that bounced hard, and what follows."""

from datetime import timedelta

import pytest

from sidecar.domain.history import History, Mail
from sidecar.domain.policy import PRESETS, Mode, Policy, Preset, Streak, Window, decide
from sidecar.domain.wiki import Unconfirm, Warn

from .mails import DAY, SPECIFICATION, T0, at, failed, hard, quiet

GENTLE = Policy(PRESETS["gentle"].rule, Mode.ENFORCE, warn=True)


def policy_of(preset: Preset) -> Policy:
    return Policy(preset.rule, Mode.ENFORCE, warn=preset.warn)


def said(history: History, policy: Policy, today: float) -> tuple[str, int]:
    """What is owed, and because of how many bounces."""
    decision = decide("enwiki", 7, history, policy, at(today))
    return (type(decision.action).__name__.lower(), len(decision.because)) if decision else ("nothing", 0)


@pytest.mark.parametrize(
    ("days", "today", "count"),
    [
        ([], 0, 0),
        ([0], 30, 0),
        ([0, 4], 30, 0),
        ([0, 4, 6.9], 6.99, 0),  # three, but the oldest is not a week old
        ([0, 4, 8], 8, 3),
        ([8, 0, 4], 8, 3),  # bounces arrive in any order
        ([0, 0.1, 0.2], 7, 3),  # exactly a week
        ([0, 1, 2, 3, 8], 8, 5),
        ([0, 61, 62], 62, 0),  # the first is forgotten
        ([0, 61, 62], 90, 0),
        ([0, 61, 62, 70], 70, 3),
        ([0, 60, 120], 120, 3),
        ([0, 4, 8], 68, 3),  # what was due stays due while a wiki is down or a brake holds it ...
        ([0, 4, 8], 68.1, 0),  # ... until the streak has seen nothing for too long
    ],
)
def test_the_specifications_streak(days: list[float], today: float, count: int) -> None:
    assert said(failed(*days), SPECIFICATION, today)[1] == count


@pytest.mark.parametrize(
    ("preset", "days", "count"),
    [
        ("wikimedia", [0, 1, 2, 3], 0),
        ("wikimedia", [0, 1, 2, 3, 4], 5),
        ("wikimedia", [0, 4, 5, 6, 8], 0),
        ("wikimedia", [0, 4, 5, 6, 7], 5),
        ("bouncehandler", [n / 100 for n in range(9)], 0),
        ("bouncehandler", [n / 100 for n in range(10)], 10),
        ("bouncehandler", [0.0] + [7.1 + n / 100 for n in range(9)], 0),
    ],
)
def test_windows_count_within_their_period(preset: str, days: list[float], count: int) -> None:
    for today in (max(days), max(days) + 400):
        assert said(failed(*days), policy_of(PRESETS[preset]), today)[1] == count


@pytest.mark.parametrize(
    ("mails", "today", "count"),
    [
        ([hard(0), hard(4), quiet(5), hard(8)], 8, 0),
        ([hard(0), hard(4), quiet(5), hard(8), hard(9), hard(10)], 10, 0),  # three, but not over a week
        ([hard(0), hard(4), quiet(5), hard(8), hard(9), hard(10)], 15, 3),
        ([hard(0), hard(4), quiet(5), hard(5), hard(8)], 8, 4),  # it came back late
        ([hard(0), hard(4), quiet(6.5), hard(8)], 8, 3),  # too young to tell
    ],
)
def test_a_mail_that_arrives_ends_the_streak(mails: list[Mail], today: float, count: int) -> None:
    assert said(History(mails), SPECIFICATION, today)[1] == count


def test_a_mail_that_arrives_speaks_to_windows_too_and_the_last_one_for_as_long_as_it_is_the_last() -> None:
    five = [hard(4 + n / 10) for n in range(5)]
    wikimedia = policy_of(PRESETS["wikimedia"])
    assert said(History(five), wikimedia, 5) == ("unconfirm", 5)
    assert said(History([hard(0), quiet(3), *five]), wikimedia, 5) == ("nothing", 0)
    assert said(History([hard(0), quiet(3), *five]), wikimedia, 6) == ("unconfirm", 5)
    assert said(History([hard(0), *five[:3], quiet(4.35), *five[3:]]), wikimedia, 9) == ("nothing", 0)


@pytest.mark.parametrize(
    ("days", "count"),
    [([0, 0.1, 0.2, 8], 0), ([0, 0.1, 1, 8], 4), ([0, 0.4, 0.6], 0), ([0.4, 0.6, 8], 3)],
    ids=["two days", "three days", "noon to midnight", "across midnight"],
)
def test_daily_counts_days_and_not_bounces(days: list[float], count: int) -> None:
    policy = Policy(Streak(daily=True), Mode.ENFORCE)
    assert said(failed(*days), policy, 20)[1] == count
    assert said(failed(*days), Policy(Window(3, 30 * DAY, daily=True), Mode.ENFORCE), 20)[1] == count


@pytest.mark.parametrize(
    ("days", "warned", "today", "word"),
    [
        ([0, 4, 8], None, 8, "warn"),
        ([0, 4, 8], 8, 9, "nothing"),  # nothing new since
        ([0, 4, 8, 10.9], 8, 11, "nothing"),  # too soon after the warning
        ([0, 4, 8, 11], 8, 11, "unconfirm"),  # grace, to the second
        ([0, 4, 8, 10, 11.1], 8, 12, "unconfirm"),
        ([20, 24, 28], 8, 28, "warn"),  # warned in another streak
        ([9, 9.5, 10], 8, 17, "nothing"),  # another streak, but the warning is fresh
        ([0, 4, 8, 20], 400, 20, "nothing"),  # the clock jumped back behind the warning
    ],
)
def test_a_warning_comes_first_and_only_a_later_mail_un_confirms(
    days: list[float], warned: float | None, today: float, word: str
) -> None:
    history = History(failed(*days).mails, warned=None if warned is None else at(warned))
    assert said(history, GENTLE, today)[0] == word


def test_the_action_carries_the_condition_under_which_it_holds() -> None:
    history = History([hard(4, id=2), hard(0, id=1), hard(8, id=3)])
    decision = decide("enwiki", 7, history, SPECIFICATION, at(8))
    assert decision
    assert isinstance(decision.action, Unconfirm)
    assert decision.action.confirmed_before == T0
    assert (decision.action.wiki, decision.action.user_id) == ("enwiki", 7)
    assert decision.action.reason == "3 hard bounces of mail sent 2026-11-01 to 2026-11-09 (user-unknown)"
    assert [bounce.id for bounce in decision.because] == [1, 2, 3]


def test_the_action_says_who_is_left_alone_and_whether_the_user_is_told() -> None:
    silent = Policy(Streak(), Mode.ENFORCE, announce=False, protected=frozenset({"sysop"}))
    decision = decide("enwiki", 7, failed(0, 4, 8), silent, at(8))
    assert decision
    assert isinstance(decision.action, Unconfirm)
    assert (decision.action.protect, decision.action.announce) == ({"sysop"}, False)
    decision = decide("enwiki", 7, failed(0, 4, 8), GENTLE, at(8))
    assert decision
    assert isinstance(decision.action, Warn)
    assert "sysop" in decision.action.protect


def test_a_clock_that_jumped_back_never_reaches_behind_a_confirmation_of_today() -> None:
    window = Policy(Window(1, DAY), Mode.ENFORCE)
    assert decide("enwiki", 7, failed(0), window, at(-1)) is None
    decision = decide("enwiki", 7, failed(0), window, at(-0.02))
    assert decision
    assert isinstance(decision.action, Unconfirm)
    assert decision.action.confirmed_before == at(-0.02)
    assert said(failed(0, 4, 8), SPECIFICATION, 6)[0] == "nothing"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (SPECIFICATION, "3 hard bounces, the oldest at least 7 days old"),
        (GENTLE, "3 hard bounces on different days, the oldest at least 7 days old, warned 3 days before"),
        (policy_of(PRESETS["wikimedia"]), "5 hard bounces, within 7 days"),
        (Policy(Window(1, timedelta(days=1)), Mode.SHADOW), "1 hard bounces, within 1 day"),
    ],
)
def test_a_policy_says_its_thresholds_in_words(policy: Policy, words: str) -> None:
    assert str(policy).startswith(words)
    assert len(str(policy)) <= 200

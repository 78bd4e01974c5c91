"""What holds for every history and every policy."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sidecar.domain.history import Fate, History, Mail, Standing
from sidecar.domain.policy import PRESETS, Mode, Policy, Streak, Window, decide, read

from .mails import DAY, at

DAYS = st.floats(0, 100).map(lambda day: round(day, 1))  # so that seconds coincide

MAILS = st.builds(
    Mail,
    sent=DAYS.map(at),
    fate=st.sampled_from([Fate.HARD, Fate.HARD, Fate.NOTHING, Fate.SOFT]),
    category=st.sampled_from(["user-unknown", "mailbox-full"]),
    tag=st.sampled_from(["aaaaaa", "aaaaaa", "bbbbbb", ""]),
    key_id=st.sampled_from(["k1", "k2"]),
    id=st.integers(1, 20),
    pardoned=st.sampled_from([False, False, True]),
    confirming=st.sampled_from([False, False, False, True]),
)
#: Mails of a user who keeps the address, most of which fail: else few would be un-confirmed.
FAILING = st.builds(
    Mail,
    sent=DAYS.map(at),
    fate=st.sampled_from([Fate.HARD, Fate.HARD, Fate.HARD, Fate.NOTHING]),
    category=st.just("user-unknown"),
    tag=st.just("aaaaaa"),
    key_id=st.just("k1"),
)
MANY = st.lists(MAILS, max_size=14) | st.lists(FAILING, max_size=14)
HISTORIES = st.builds(
    History,
    mails=MANY,
    forget_until=st.none() | st.none() | DAYS.map(at),
    warned=st.none() | DAYS.map(at),
)
RULES = st.sampled_from(
    [
        *(preset.rule for preset in PRESETS.values()),
        Streak(1, timedelta(0)),
        Streak(2, DAY, forget=10 * DAY, daily=True),
        Window(1, timedelta(0)),
        Window(3, 5 * DAY, daily=True),
    ]
)
POLICIES = st.builds(
    Policy,
    rule=RULES,
    mode=st.just(Mode.ENFORCE),
    settle=st.sampled_from([timedelta(0), 2 * DAY, 5 * DAY]),
    warn=st.booleans(),
    grace=st.sampled_from([timedelta(0), 3 * DAY]),
)
NOWS = st.floats(-5, 130).map(at)


def decision(history: History, policy: Policy, now: datetime) -> object:
    return decide("enwiki", 7, history, policy, now)


@pytest.mark.slow
@given(history=HISTORIES, policy=POLICIES, now=NOWS, chance=st.randoms(use_true_random=False))
def test_the_order_of_a_history_never_changes_the_decision(
    history: History, policy: Policy, now: datetime, chance: random.Random
) -> None:
    shuffled = chance.sample(history.mails, len(history.mails))
    other = replace(history, mails=shuffled)
    assert decision(other, policy, now) == decision(history, policy, now)
    assert read(other, policy, now) == read(history, policy, now)


@given(history=HISTORIES, policy=POLICIES, now=NOWS, data=st.data())
def test_a_mail_that_is_told_twice_changes_nothing(
    history: History, policy: Policy, now: datetime, data: st.DataObject
) -> None:
    assume(history.mails)
    again = data.draw(st.lists(st.sampled_from(history.mails), max_size=5))
    twice = replace(history, mails=[*history.mails, *again])
    assert decision(twice, policy, now) == decision(history, policy, now)


@given(history=HISTORIES, policy=POLICIES, now=NOWS)
def test_whose_last_settled_mail_was_delivered_is_never_warned_nor_un_confirmed(
    history: History, policy: Policy, now: datetime
) -> None:
    elsewhere = (Standing.OTHER_ADDRESS, Standing.SETTLED)
    settled = [
        mail
        for mail, standing in read(history, policy, now).standings
        if standing not in elsewhere and mail.sent <= now - policy.settle
    ]
    if settled and settled[-1].fate is Fate.NOTHING:
        assert decision(history, policy, now) is None


@pytest.mark.slow
@given(
    mails=st.lists(FAILING, max_size=14),
    proof=DAYS,
    policy=POLICIES,
    now=NOWS,
    after=st.lists(st.floats(0.01, 10), max_size=6),
)
def test_and_so_by_construction(
    mails: list[Mail], proof: float, policy: Policy, now: datetime, after: list[float]
) -> None:
    """The same without asking the reading: all is older than the proof, or too young to tell."""
    now = max(now, at(proof) + policy.settle)
    older = [mail for mail in mails if mail.sent < at(proof)]
    young = [
        Mail(now - policy.settle + timedelta(days=day), Fate.HARD, "user-unknown", "aaaaaa", "k1")
        for day in after
    ]
    arrived = Mail(at(proof), Fate.NOTHING, "", "aaaaaa", "k1")
    assert decision(History([*older, arrived, *young]), policy, now) is None


@pytest.mark.slow
@given(history=HISTORIES, policy=POLICIES, now=NOWS, proof=MAILS)
def test_a_proof_more_never_creates_a_decision(
    history: History, policy: Policy, now: datetime, proof: Mail
) -> None:
    proof = replace(proof, fate=Fate.NOTHING)
    assume(proof.sent <= now - policy.settle)
    if decision(history, policy, now) is None:
        more = replace(history, mails=[*history.mails, proof])
        assert decision(more, policy, now) is None


@given(history=HISTORIES, policy=POLICIES, now=NOWS)
def test_what_is_decided_is_what_was_read(history: History, policy: Policy, now: datetime) -> None:
    found = decide("enwiki", 7, history, policy, now)
    if found:
        counted = read(history, policy, now).counted
        assert list(found.because) == counted
        assert len(counted) >= policy.rule.hard_bounces
        assert found.action.confirmed_before <= min(counted[0].sent, now)
        assert all(mail.fate is Fate.HARD and not mail.pardoned and not mail.confirming for mail in counted)


@given(
    mails=st.lists(FAILING.filter(lambda mail: mail.fate is Fate.HARD), max_size=12),
    policy=POLICIES,
    waits=st.floats(0, 1000),
)
def test_what_is_due_stays_due_while_it_waits_until_the_streak_is_forgotten(
    mails: list[Mail], policy: Policy, waits: float
) -> None:
    today = max((mail.sent for mail in mails), default=at(0))
    due = decide("enwiki", 7, History(mails), policy, today)
    if due:
        now = today + timedelta(days=waits)
        over = isinstance(policy.rule, Streak) and now - today > policy.rule.forget
        assert decision(History(mails), policy, now) == (None if over else due)

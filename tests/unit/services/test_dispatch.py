"""Paying what we owe: claim, call, settle, and what becomes of an action when the wiki does not play."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.wiki import WikiMisconfigured, WikiRefused, WikiUnavailable
from sidecar.services.dispatch import Dispatcher
from sidecar.storage import actions
from sidecar.storage.actions import State

from .house import DAY, T0, House

DOWN, WRONG = WikiUnavailable("the wiki is read-only"), WikiMisconfigured("Incorrect password")


async def pay_all(house: House) -> int:
    """Steps until nothing is due."""
    steps = 0
    while await house.dispatcher.step():
        steps += 1
    return steps


async def audit(house: House) -> list[str]:
    events = await house.database.read(lambda c: actions.events_of_user(c, "enwiki", 7))
    return [event.what for event in events]


async def test_claim_call_settle(house: House) -> None:
    await house.fail_for_eight_days()
    assert await pay_all(house) == 1
    [call] = house.wiki.calls
    assert (call.wiki, call.user_id, call.confirmed_before) == ("enwiki", 7, T0)
    assert call.reason == "3 hard bounces of mail sent 2026-11-20 to 2026-11-28 (user-unknown)"
    [action] = await house.actions()
    assert (action.state, action.effect, action.attempts) == (State.DONE, "unconfirmed", 1)
    assert action.confirmed_at == T0 - 300 * DAY
    assert await audit(house) == ["decided", "done"]


async def test_nothing_due_is_no_step_and_no_call(house: House) -> None:
    await house.bounce()
    assert await pay_all(house) == 0
    assert house.wiki.calls == []


async def test_after_an_action_the_user_starts_anew(house: House) -> None:
    await house.fail_for_eight_days()
    await pay_all(house)
    house.clock.tick(days=1)
    await house.bounce()
    house.clock.tick(days=4)
    await house.bounce()
    assert len(await house.actions()) == 1
    house.clock.tick(days=4)
    await house.bounce()
    assert [action.state for action in await house.actions()] == [State.DONE, State.WAITING]


async def test_who_was_unconfirmed_already_is_done(house: House) -> None:
    house.wiki.confirmed[7] = None
    await house.fail_for_eight_days()
    await pay_all(house)
    assert await house.states() == [(7, "done", "already")]


async def test_a_user_who_confirmed_again_keeps_the_newer_bounces_only(house: House) -> None:
    await house.fail_for_eight_days()
    house.wiki.confirmed[7] = T0 + 5 * DAY
    await pay_all(house)
    assert await house.states() == [(7, "done", "changed")]
    # The bounce of day 8 is newer than the confirmation: two more make three.
    for days in (4, 4):
        assert len(await house.actions()) == 1
        house.clock.tick(days=days)
        await house.bounce()
    await pay_all(house)
    assert await house.states() == [(7, "done", "changed"), (7, "done", "unconfirmed")]
    assert house.wiki.calls[-1].confirmed_before == T0 + 8 * DAY


@pytest.mark.slow
async def test_an_unavailable_wiki_postpones_with_growing_delay_and_the_action_is_done_in_the_end(
    house: House,
) -> None:
    await house.fail_for_eight_days()
    house.wiki.troubles = [DOWN] * 12
    delays = []
    while house.wiki.troubles:
        assert await pay_all(house) == 1
        [action] = await house.actions(State.WAITING)
        delays.append((action.due - house.clock()) / timedelta(seconds=1))
        house.clock.now = action.due - timedelta(seconds=1)
        assert await pay_all(house) == 0
        house.clock.now = action.due
    assert delays == [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600]
    assert await pay_all(house) == 1
    assert await house.states() == [(7, "done", "unconfirmed")]
    assert await audit(house) == ["decided", *["postponed"] * 12, "done"]


async def test_an_action_waits_at_least_as_long_as_its_wiki_is_left_alone(house: House) -> None:
    await house.fail_for_eight_days()
    house.wiki.troubles = [WRONG]
    assert await pay_all(house) == 1
    [action] = await house.actions(State.WAITING)
    assert action.due - house.clock() == timedelta(minutes=5)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 30), (0.5, 37.5), (1.0, 45)])
async def test_jitter_spreads_the_delays_upwards(house: House, jitter: float, seconds: float) -> None:
    dispatcher = Dispatcher(house.database, house.lines(), house.policies, house.clock, lambda: jitter)
    assert dispatcher.delay(1) == timedelta(seconds=seconds)
    assert dispatcher.delay(1000) == timedelta(hours=6) * (seconds / 30)


@pytest.mark.slow
async def test_a_wiki_that_is_down_is_tried_with_one_action_and_not_with_all(house: House) -> None:
    await house.fail_for_eight_days(*range(10))
    house.wiki.troubles = [DOWN] * 2
    assert await pay_all(house) == 1
    assert len(house.wiki.calls) == 1
    house.clock.tick(seconds=5)
    assert await pay_all(house) == 1
    house.clock.tick(seconds=10)
    assert await pay_all(house) == 8
    house.clock.tick(hours=1)
    assert await pay_all(house) == 2
    assert {state for _, state, _ in await house.states()} == {"done"}


async def test_a_wiki_that_answered_in_between_is_left_alone_for_the_first_pause_again(house: House) -> None:
    await house.fail_for_eight_days(1)
    house.wiki.troubles = [DOWN]
    assert await pay_all(house) == 1
    house.clock.tick(seconds=30)
    assert await pay_all(house) == 1
    await house.fail_for_eight_days(2, 3)
    house.wiki.troubles = [DOWN]
    assert await pay_all(house) == 1
    house.clock.tick(seconds=5)
    assert await pay_all(house) == 1, "five seconds again, and not ten"


@pytest.mark.slow
async def test_a_misconfigured_wiki_is_tried_once_a_pause_and_everything_stays_owed(house: House) -> None:
    await house.fail_for_eight_days(*range(10))
    house.wiki.troubles = [WRONG] * 4
    for pause in range(4):
        assert await pay_all(house) == 1
        assert len(house.wiki.calls) == pause + 1
        house.clock.tick(seconds=299)
        assert await pay_all(house) == 0
        assert len(await house.actions(State.WAITING)) == 10
        house.clock.tick(seconds=1)
    assert await pay_all(house) > 0
    house.clock.tick(hours=6)
    await pay_all(house)
    assert {state for _, state, _ in await house.states()} == {"done"}


async def test_what_the_wiki_refuses_is_dead_with_its_words_and_not_owed_again_at_the_next_bounce(
    house: House,
) -> None:
    house.wiki.troubles = [WikiRefused("there is no such user")]
    await house.fail_for_eight_days()
    await pay_all(house)
    [action] = await house.actions()
    assert (action.state, action.error) == (State.DEAD, "there is no such user")
    house.clock.tick(days=1)
    await house.bounce()
    assert await house.actions() == [action]
    assert await pay_all(house) == 0


async def test_a_refusal_is_an_answer_and_pauses_nothing(house: House) -> None:
    await house.fail_for_eight_days(1, 2, 3)
    house.wiki.troubles = [WikiRefused("there is no such user")]
    assert await pay_all(house) == 3
    assert sorted(state for _, state, _ in await house.states()) == ["dead", "done", "done"]


@pytest.mark.parametrize(
    ("now", "state", "why"),
    [
        (Policy(Streak(hard_bounces=5), Mode.ENFORCE), State.OVERTAKEN, "the policy no longer wants it"),
        (Policy(Streak(span=20 * DAY), Mode.ENFORCE), State.OVERTAKEN, "the policy no longer wants it"),
        (Policy(Streak(), Mode.SHADOW), State.SHADOW, "the wiki is in shadow mode now"),
    ],
    ids=["more bounces wanted", "longer span wanted", "shadow"],
)
async def test_the_decision_is_asked_again_before_acting(
    house: House, now: Policy, state: State, why: str
) -> None:
    await house.fail_for_eight_days()
    before = house.policies["enwiki"]
    house.policies["enwiki"] = now
    assert await pay_all(house) == 0
    assert house.wiki.calls == []
    [action] = await house.actions()
    assert (action.state, action.error) == (state, why)
    house.policies["enwiki"] = before
    house.clock.tick(days=1)
    await house.bounce()
    assert [action.state for action in await house.actions(State.WAITING)] == [State.WAITING]


async def test_an_action_that_is_overtaken_does_not_hide_the_next_one(house: House) -> None:
    await house.fail_for_eight_days(1, wiki="dewiki")
    await house.fail_for_eight_days(2)
    house.policies["dewiki"] = replace(house.policies["dewiki"], mode=Mode.SHADOW)
    assert await pay_all(house) == 1
    assert [call.user_id for call in house.wiki.calls] == [2]


async def test_what_is_owed_to_a_wiki_that_is_not_configured_any_more_waits(house: House) -> None:
    await house.fail_for_eight_days(1, 2)
    policy = house.policies.pop("enwiki")
    assert await pay_all(house) == 0
    assert [(a.state, a.error) for a in await house.actions()] == [
        ("waiting", "the wiki is not configured")
    ] * 2
    house.policies["enwiki"] = policy
    house.clock.tick(hours=6)
    assert await pay_all(house) == 2


async def test_a_fault_of_the_adapter_postpones_like_any_trouble(house: House) -> None:
    await house.fail_for_eight_days()
    house.wiki.troubles = [ZeroDivisionError("a bug of ours")]
    assert await pay_all(house) == 1
    [action] = await house.actions()
    assert (action.state, action.error) == (State.WAITING, "the adapter failed: ZeroDivisionError")
    assert action.due > house.clock()
    house.clock.now = action.due
    assert await pay_all(house) == 1
    assert await house.states() == [(7, "done", "unconfirmed")]


@pytest.mark.sqlite
async def test_no_transaction_is_open_while_the_wiki_is_called(
    house: House, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.fail_for_eight_days()
    found: list[str] = []

    def perform_and_look(action: object) -> None:
        engine = sa.create_engine(url, connect_args={"timeout": 0})
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            found.append("free")
        engine.dispose()
        raise DOWN

    monkeypatch.setattr(house.wiki, "perform", perform_and_look)
    await pay_all(house)
    assert found == ["free"]

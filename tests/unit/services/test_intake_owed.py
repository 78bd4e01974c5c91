"""What is owed to a wiki for the bounces that come in, and when."""

from dataclasses import replace

from sidecar.domain.policy import Mode
from sidecar.storage import actions
from sidecar.storage.actions import State

from .house import DAY, HARD, SOFT, T0, House


def enforce(house: House, mode: Mode) -> None:
    house.policies["enwiki"] = replace(house.policies["enwiki"], mode=mode)


async def test_three_hard_bounces_over_eight_days_owe_exactly_one_action(house: House) -> None:
    await house.fail_for_eight_days()
    [action] = await house.actions()
    assert (action.wiki, action.user_id, action.state, action.created) == (
        "enwiki",
        7,
        State.WAITING,
        T0 + 8 * DAY,
    )
    assert house.owed == ["ring"]
    for _ in range(3):
        house.clock.tick(days=1)
        await house.bounce()
    assert await house.actions() == [action]
    assert house.owed == ["ring"]
    events = await house.database.read(lambda c: actions.events_of_user(c, "enwiki", 7))
    assert [event.what for event in events] == ["decided"]


async def test_neither_two_bounces_nor_three_in_a_week_owe_anything(house: House) -> None:
    for days in (0, 3, 3):
        house.clock.tick(days=days)
        await house.bounce()
    await house.bounce(user_id=8)
    house.clock.tick(days=9)
    await house.bounce(user_id=8)
    assert await house.actions() == []


async def test_users_and_wikis_are_counted_apart(house: House) -> None:
    for user_id, wiki in ((7, "enwiki"), (8, "enwiki"), (7, "dewiki")):
        await house.bounce(user_id=user_id, wiki=wiki)
        house.clock.tick(days=4)
    assert await house.actions() == []


async def test_shadow_mode_notes_the_decision_once_and_enforce_acts_at_the_next_bounce(house: House) -> None:
    enforce(house, Mode.SHADOW)
    await house.fail_for_eight_days()
    for _ in range(2):
        house.clock.tick(days=1)
        await house.bounce()
    assert [action.state for action in await house.actions()] == [State.SHADOW]
    enforce(house, Mode.ENFORCE)
    await house.bounce(SOFT.about(HARD.recipient))
    assert [action.state for action in await house.actions()] == [State.SHADOW]
    house.clock.tick(days=1)
    await house.bounce()
    assert [action.state for action in await house.actions()] == [State.SHADOW, State.WAITING]

"""Too many users at once: what follows is held until somebody has looked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.brake import Limits
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.storage import brakes
from sidecar.storage.actions import State
from sidecar.storage.brakes import Brake, BrakeState
from tests.unit.services.house import AT_ONCE, HARD, T0, House, Mail

ELSEWHERE = Mail(
    HARD.raw.replace(b"remote.example", b"gmail.com"), HARD.recipient.replace("remote.example", "gmail.com")
)
HERE, THERE = "remote.example", "google"
FEW = replace(AT_ONCE, users_per_hour=4, users_per_hour_in_all=50)


def limit(house: House, limits: Limits) -> None:
    house.limits = limits
    house.intake.close()
    house.intake = house.taking("enwiki", "dewiki")


async def tripped(house: House, *states: BrakeState) -> list[Brake]:
    return await house.database.read(lambda c: brakes.brakes(c, *(states or (BrakeState.TRIPPED,))))


async def pay(house: House) -> int:
    paid = 0
    while await house.dispatcher.step():
        paid += 1
    return paid


async def released(house: House) -> int | None:
    return await house.database.write(lambda c: brakes.release(c, 1, house.clock()))


async def discarded(house: House) -> int | None:
    return await house.database.write(lambda c: brakes.discard(c, 1, house.clock()))


async def pulled(house: House) -> None:
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "", "stop", now, since=now, hold_from=None))


async def an_incident(house: House, users: range = range(1, 11)) -> None:
    """Users who failed twice before all fail within minutes."""
    for _ in range(2):
        for user_id in users:
            house.clock.tick(hours=2)  # not at once: nothing trips
            await house.bounce(user_id=user_id)
    house.clock.tick(days=7)
    for user_id in users:
        house.clock.tick(seconds=10)
        await house.bounce(user_id=user_id)


async def test_an_incident_holds_all_of_it_also_what_was_decided_before_the_brake_tripped(
    house: House,
) -> None:
    limit(house, replace(FEW, delay=timedelta(hours=1)))
    await an_incident(house)
    [brake] = await tripped(house)
    assert (brake.provider, brake.wiki, brake.actions) == (HERE, "", 10)
    assert brake.why == "5 users failed within an hour, more than 4"
    house.clock.tick(hours=5)
    assert await pay(house) == 0
    assert house.wiki.calls == []
    assert {entry.state for entry in await house.actions()} == {State.HELD}


async def test_what_was_due_long_before_the_incident_is_not_held(house: House) -> None:
    await house.fail_for_eight_days(50)
    house.clock.tick(hours=2)
    limit(house, FEW)
    await an_incident(house)
    assert [entry.user_id for entry in await house.actions(State.WAITING)] == [50]


async def test_other_providers_go_on(house: House) -> None:
    limit(house, FEW)
    await an_incident(house)
    await house.fail_for_eight_days(77, mail=ELSEWHERE)
    assert await pay(house) == 1
    assert [action.user_id for action in house.wiki.calls] == [77]


async def test_too_many_in_all_hold_everybody(house: House) -> None:
    limit(house, replace(AT_ONCE, users_per_hour=50, users_per_hour_in_all=4))
    await an_incident(house)
    [brake] = await tripped(house)
    assert brake.provider == ""
    await house.fail_for_eight_days(77, mail=ELSEWHERE)
    assert await pay(house) == 0


async def test_caps_on_actions_hold_everybody(house: House) -> None:
    limit(house, replace(AT_ONCE, actions_per_hour=3, delay=timedelta(hours=1)))
    await an_incident(house)
    [brake] = await tripped(house)
    assert brake.why == "4 actions were decided within an hour, more than 3"
    house.clock.tick(hours=5)
    assert await pay(house) == 0


@pytest.mark.slow
async def test_released_it_is_carried_out_once(house: House) -> None:
    limit(house, FEW)
    await an_incident(house)
    before = len(house.wiki.calls)  # decided and paid before the brake tripped, as there is no delay here
    held = len(await house.actions(State.HELD))
    assert await released(house) == held
    assert await pay(house) == 10
    assert len(house.wiki.calls) == before + 10
    assert await released(house) is None
    assert await tripped(house) == []


async def test_released_it_is_asked_again_what_is_still_wanted(house: House) -> None:
    limit(house, FEW)
    await an_incident(house)
    house.policies["enwiki"] = Policy(Streak(hard_bounces=9), Mode.ENFORCE)
    await released(house)
    await pay(house)
    assert house.wiki.calls == []


async def test_the_same_incident_does_not_trip_it_again(house: House) -> None:
    limit(house, FEW)
    await an_incident(house)
    await released(house)
    house.clock.tick(minutes=20)
    await house.bounce(user_id=60)
    assert await tripped(house) == []


async def test_discarded_its_failures_never_count(house: House) -> None:
    limit(house, FEW)
    await an_incident(house)
    assert await discarded(house) == len(await house.actions(State.DISCARDED)) > 0
    house.clock.tick(days=1)
    await house.bounce(user_id=3)
    assert await pay(house) == 1
    [action] = await house.actions(State.DONE)
    assert "3 hard bounces" in action.reason  # two before the incident and one after it


async def test_pulled_by_hand_it_holds_what_waits_and_what_comes_and_all_is_recorded(house: House) -> None:
    await house.fail_for_eight_days(7)
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "", "stop", now, since=now, hold_from=None))
    await house.fail_for_eight_days(8)
    assert await pay(house) == 0
    assert len(await house.history(8)) == 3
    assert await released(house) == 2
    assert await pay(house) == 2


async def test_a_brake_of_one_wiki_leaves_the_others_alone(house: House) -> None:
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "enwiki", "stop", now, since=now, hold_from=None))
    await house.fail_for_eight_days(7)
    await house.fail_for_eight_days(7, wiki="dewiki")
    assert await pay(house) == 1
    assert house.wiki.calls == []


async def test_what_another_brake_holds_too_stays_held(house: House) -> None:
    limit(house, FEW)
    await an_incident(house)
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "", "stop", now, since=now, hold_from=None))
    assert await released(house) == 0
    assert await pay(house) == 0


async def test_in_shadow_mode_a_brake_tells_and_holds_nothing(house: House) -> None:
    house.policies["enwiki"] = Policy(Streak(), Mode.SHADOW)
    limit(house, FEW)
    await an_incident(house)
    assert [brake.actions for brake in await tripped(house)] == [0]
    assert {entry.state for entry in await house.actions()} == {State.SHADOW}


async def test_many_failures_of_one_user_are_one_user(house: House) -> None:
    limit(house, FEW)
    for _ in range(50):
        house.clock.tick(seconds=30)
        await house.bounce(user_id=7)
    assert await tripped(house) == []


@pytest.mark.slow
@pytest.mark.parametrize(("hours", "trips"), [(3 * 7 * 24, True), (2 * 24, False)])
async def test_the_usual_rate_is_that_of_the_weeks_before(house: House, hours: int, trips: bool) -> None:
    limit(house, replace(AT_ONCE, users_per_hour=90, users_per_hour_in_all=90, factor=5.0, least=3))
    for hour in range(0, hours, 8):
        house.clock.now = T0 + timedelta(hours=hour)
        await house.bounce(user_id=1 + hour % 5)
    house.clock.tick(hours=2)
    for user_id in range(20, 24):
        await house.bounce(user_id=user_id)
    found = await tripped(house)
    assert bool(found) is trips
    if trips:
        assert found[0].why == "4 users failed within an hour, usually 0.13"


async def test_what_one_providers_brake_holds_is_no_reason_to_hold_everybody(house: House) -> None:
    limit(house, replace(FEW, users_per_hour_in_all=6, actions_per_hour=6))
    await an_incident(house)
    assert [brake.provider for brake in await tripped(house)] == [HERE]
    await released(house)
    house.clock.tick(minutes=5)
    for user_id in range(20, 26):
        await house.bounce(ELSEWHERE, user_id)
    assert [brake.provider for brake in await tripped(house)] == [THERE]


async def test_two_incidents_are_two_brakes_and_a_third_of_small_ones_is_everybodys(house: House) -> None:
    limit(house, replace(FEW, users_per_hour_in_all=6))
    await an_incident(house)
    for number in range(7):
        domain = f"small-{number}.example".encode()
        raw = HARD.raw.replace(b"remote.example", domain)
        await house.bounce(Mail(raw, f"nouser@{domain.decode()}"), 30 + number)
    assert [brake.provider for brake in await tripped(house)] == [HERE, ""]

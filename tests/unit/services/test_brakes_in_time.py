"""A brake and what is under way when it trips, is revived, or was let go at a wrong time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.wiki import WikiRefused, WikiUnavailable
from sidecar.storage import brakes, claims, outbox
from sidecar.storage.actions import State
from sidecar.storage.undoing import undoable

from .house import AT_ONCE, DAY, HARD, T0, House
from .test_brakes import HERE, THERE, an_incident, discarded, limit, pay, pulled, released, tripped


async def test_what_is_being_asked_when_a_brake_trips_is_not_asked_again(house: House) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.gate.clear()
    house.wiki.troubles.append(WikiUnavailable("the answer never came"))
    asking = asyncio.create_task(house.dispatcher.step())
    assert await asyncio.to_thread(house.wiki.called.wait, 10)
    await pulled(house)
    house.wiki.gate.set()
    await asking
    house.clock.tick(days=1)
    assert await pay(house) == 0
    assert house.wiki.confirmed[7]
    assert [entry.state for entry in await house.actions()] == [State.HELD]
    assert await released(house) == 1
    assert await pay(house) == 1


async def test_nor_is_what_a_killed_process_had_in_hand(house: House) -> None:
    await house.fail_for_eight_days(7)
    now = house.clock()
    await house.database.write(lambda c: claims.claim(c, now, now + claims.LEASE, ()))
    await pulled(house)
    house.clock.tick(hours=1)
    assert await pay(house) == 0
    assert house.wiki.calls == []


@pytest.mark.parametrize("meanwhile", ["held", "discarded"])
async def test_what_the_wiki_did_meanwhile_is_known_and_can_be_taken_back(
    house: House, meanwhile: str
) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.gate.clear()
    asking = asyncio.create_task(house.dispatcher.step())
    assert await asyncio.to_thread(house.wiki.called.wait, 10)
    house.clock.tick(minutes=3)  # the lease has ended, or the clock has jumped
    await pulled(house)
    if meanwhile == "discarded":
        await discarded(house)
    house.wiki.gate.set()
    await asking
    assert await house.states() == [(7, "done", "unconfirmed")]
    [one] = await house.database.read(lambda c: undoable(c, T0))
    assert (one.user_id, one.confirmed_at) == (7, T0 - 300 * DAY)


async def test_a_word_about_a_mistyped_address_is_held_too(house: House) -> None:
    await pulled(house)
    house.wiki.confirmed[7], house.wiki.asked[7] = None, house.clock()
    await house.take(HARD.raw, house.paths.issue("enwiki", 7, HARD.recipient, confirming=True))
    assert await pay(house) == 0
    assert house.wiki.told == []
    assert await released(house) == 1
    assert await pay(house) == 1


async def test_what_an_operator_revives_is_held_as_everything_else(house: House) -> None:
    house.wiki.troubles.append(WikiRefused("no"))
    await house.fail_for_eight_days(7)
    await pay(house)
    await pulled(house)
    assert await house.database.write(lambda c: outbox.retry(c, 1, house.clock()))
    assert await pay(house) == 0
    assert [entry.state for entry in await house.actions()] == [State.HELD]
    assert await released(house) == 1
    assert await pay(house) == 1
    assert house.wiki.confirmed[7] is None


async def test_the_cap_of_a_day_holds_what_still_waits_of_that_day(house: House) -> None:
    limit(house, replace(AT_ONCE, actions_per_day=3, delay=timedelta(days=2)))
    for _ in range(2):
        for user_id in range(1, 5):
            await house.bounce(user_id=user_id)
        house.clock.tick(days=4)
    for user_id in range(1, 5):
        house.clock.tick(hours=3)
        await house.bounce(user_id=user_id)
    [brake] = await tripped(house)
    assert brake.why == "4 actions were decided within a day, more than 3"
    house.clock.tick(days=3)
    assert await pay(house) == 0
    assert len(await house.actions(State.HELD)) == 4


@pytest.mark.parametrize("cap", [{"users_per_hour": 4}, {"actions_per_hour": 4}])
async def test_a_brake_that_was_let_go_while_the_clock_ran_ahead_does_not_end_all_braking(
    house: House, cap: dict[str, int]
) -> None:
    house.clock.tick(days=400)
    await pulled(house)
    await released(house)
    for whose in (HERE, THERE):
        now = house.clock()
        await house.database.write(
            lambda c, w=whose, n=now: brakes.trip(c, w, "", "", n, since=n, hold_from=n)
        )  # type: ignore[misc]
    for brake_id in (2, 3):
        await house.database.write(lambda c, id_=brake_id: brakes.release(c, id_, house.clock()))  # type: ignore[misc]
    house.clock.tick(days=-400)
    limit(house, replace(AT_ONCE, delay=timedelta(hours=1), **cap))
    await an_incident(house)
    assert len(await tripped(house)) == 1

"""A wiki that comes back: what waited for it, and what does not count as an outage."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.storage.actions import State

from .house import AT_ONCE, House
from .test_brakes import limit
from .test_dispatch import DOWN, pay_all


@pytest.mark.slow
async def test_when_a_wiki_is_back_after_an_outage_what_waited_for_it_is_due_at_once(house: House) -> None:
    await house.fail_for_eight_days(1, 2)
    house.wiki.troubles = [DOWN] * 12
    while house.wiki.troubles:
        house.clock.tick(hours=1)
        await pay_all(house)
    house.clock.tick(minutes=5)
    _, later = sorted(action.due for action in await house.actions(State.WAITING))
    assert later > house.clock()
    await pay_all(house)
    assert {state for _, state, _ in await house.states()} == {"done"}


async def test_one_user_that_a_wiki_cannot_save_does_not_count_as_an_outage(house: House) -> None:
    await house.fail_for_eight_days(1, 2)
    house.wiki.troubles = [DOWN]
    await pay_all(house)
    house.clock.tick(seconds=5)
    assert await pay_all(house) == 1, "the other user's; the first one's waits its half minute"
    assert len(await house.actions(State.WAITING)) == 1


async def test_a_wiki_that_is_back_does_not_hurry_what_waits_for_a_brake_to_trip(house: House) -> None:
    await house.fail_for_eight_days(1)
    limit(house, replace(AT_ONCE, delay=timedelta(hours=1)))
    await house.fail_for_eight_days(2)
    house.wiki.troubles = [DOWN] * 3  # the circuit opens, and what opened it was an outage
    for _ in range(4):
        house.clock.tick(minutes=10)
        await pay_all(house)
    assert [(user_id, state) for user_id, state, _ in await house.states()] == [(1, "done"), (2, "waiting")]

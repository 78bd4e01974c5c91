"""What is in hand stays so while the call lasts, however long."""

import asyncio

from sidecar.services.hands import Hands
from sidecar.storage import claims
from sidecar.storage.actions import State

from .house import House


async def test_another_node_leaves_alone_what_this_one_is_still_calling_for(house: House) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.gate.clear()
    calling = asyncio.create_task(house.dispatcher.run())
    await asyncio.to_thread(house.wiki.called.wait, 20)
    other = house.dispatching(house.database)
    for _ in range(4):  # a wiki that drips
        house.clock.tick(seconds=20)
        await house.dispatcher._hands.step()
        assert not await other.step()
    house.wiki.gate.set()
    house.dispatcher.stop()
    await calling
    assert len(house.wiki.calls) == 1
    assert await house.states() == [(7, State.DONE, "unconfirmed")]
    other.close()


async def test_a_node_that_says_nothing_any_more_is_waited_for_for_one_lease(house: House) -> None:
    await house.fail_for_eight_days(7)
    now = house.clock()
    await house.database.write(lambda c: claims.claim(c, now, now + claims.LEASE, ()))
    house.clock.tick(seconds=29)
    assert await house.pay() == 0
    house.clock.tick(seconds=1)
    assert await house.pay() == 1


async def test_nobody_is_kept_when_the_call_is_over(house: House) -> None:
    hands = Hands(house.database, house.clock)
    await house.fail_for_eight_days(7)
    now = house.clock()
    owed = await house.database.write(lambda c: claims.claim(c, now, now + claims.LEASE, ()))
    assert owed
    with hands.holding(owed):
        house.clock.tick(seconds=20)
        await hands.step()
    house.clock.tick(seconds=20)
    assert await house.pay() == 0, "20 s were kept"
    await hands.step()
    house.clock.tick(seconds=11)
    assert await house.pay() == 1

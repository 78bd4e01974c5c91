"""How the housekeeping goes: a piece at a time, looking twice, and on after a round that fails."""

import asyncio

import pytest

from sidecar.services import upkeep
from sidecar.services.upkeep import Upkeep
from sidecar.storage.retention import BOUNCES, MAILS, drop, find

from .house import DAY, House
from .housekeeping import KEEP, keeper, locked, pay


async def test_all_of_it_goes_in_one_round_however_small_the_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 4)
    for user_id in range(1, 11):
        await house.bounce(user_id=user_id)
    house.clock.tick(days=91)
    assert await keeper(house).round() == {"mails": 10, "bounces": 10, "notices": 10, **locked(house, 10)}


async def test_a_piece_holds_so_many_rows_or_so_much_mail(house: House) -> None:
    for user_id in range(1, 11):
        await house.bounce(user_id=user_id)
    later = house.clock() + DAY

    async def found(most: int, octets: int) -> int:
        return len(await house.database.read(lambda c: find(c, MAILS, later, most, octets)))

    assert [await found(4, 10**9), await found(99, 10**9), await found(99, 1)] == [4, 10, 1]


async def test_what_is_needed_by_the_time_that_it_would_go_stays(house: House) -> None:
    await house.fail_for_eight_days(7)
    later = house.clock() + DAY
    keys = [(1,), (2,), (3,)]
    assert await house.database.read(lambda c: find(c, BOUNCES, later, 9, 1)) == []  # something is owed
    assert await house.database.write(lambda c: drop(c, BOUNCES, keys, later)) == 0
    await pay(house)
    assert await house.database.write(lambda c: drop(c, BOUNCES, keys, later)) == 3


async def test_a_round_that_fails_does_not_end_the_housekeeping(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "EVERY", 0.001)
    rounds, third = [], asyncio.Event()

    def clock() -> None:
        rounds.append("asked")
        if len(rounds) == 3:
            third.set()
        raise OSError("the clock has stopped")

    running = asyncio.create_task(Upkeep(house.database, KEEP, clock).run())  # type: ignore[arg-type]
    await asyncio.wait_for(third.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

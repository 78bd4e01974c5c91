"""Raw mail is dropped when its time has come, and nothing else is."""

import asyncio

import pytest
import sqlalchemy as sa

from sidecar.services import upkeep
from sidecar.services.upkeep import Upkeep
from sidecar.storage import aside
from sidecar.storage.schema import notice

from .house import DAY, HARD, House


async def kept(house: House) -> list[bool]:
    query = sa.select(notice.c.raw.is_not(None)).order_by(notice.c.id)
    return await house.database.read(lambda connection: [bool(row[0]) for row in connection.execute(query)])


async def test_mail_is_kept_for_its_days_and_bounces_for_ever(house: House) -> None:
    keeper = Upkeep(house.database, 14 * DAY, 60 * DAY, house.clock)
    await house.bounce()
    house.clock.tick(days=1)
    await house.bounce()
    house.clock.tick(days=13)
    assert await keeper.round() == 0
    house.clock.tick(seconds=1)
    assert await keeper.round() == 1
    assert await keeper.round() == 0
    assert await kept(house) == [False, True]
    assert len(await house.history()) == 2


async def test_what_was_set_aside_waits_longer_for_somebody_to_look_but_not_for_ever(house: House) -> None:
    keeper = Upkeep(house.database, 14 * DAY, 60 * DAY, house.clock)
    path = house.signer("frwiki").issue("frwiki", 7, HARD.recipient, house.clock())
    await house.take(HARD.raw, path)
    house.clock.tick(days=60)
    assert await keeper.round() == 0
    assert await kept(house) == [True]
    assert await house.database.read(aside.waiting) == 1
    house.clock.tick(seconds=1)
    assert await keeper.round() == 1
    assert await kept(house) == [False]
    assert await house.database.read(aside.waiting) == 0


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

    running = asyncio.create_task(Upkeep(house.database, DAY, DAY, clock).run())  # type: ignore[arg-type]
    await asyncio.wait_for(third.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

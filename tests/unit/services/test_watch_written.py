"""What is written of mail to those who are watched: by whom, when, and what is lost."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.domain.send import Send
from sidecar.services import watch as watch_module
from sidecar.services import watched as watched_module
from tests.support.waiting import until

from .house import House
from .watching import mail, sent


async def test_what_finds_no_room_is_a_lost_proof_and_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_module, "ROOM", 3)
    await house.bounce()
    for _ in range(5):
        house.clock.tick(minutes=1)
        house.path()
    assert await house.watch.flush() == 3
    assert house.counted("sends_total", result="lost") == 2
    assert house.counted("sends_total", result="noted") == 3


@pytest.mark.sqlite
async def test_what_cannot_be_written_waits(house: House, tmp_path: Path) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    house.path()
    operator = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    operator.execute("BEGIN IMMEDIATE")
    with pytest.raises(sa.exc.OperationalError):
        await house.watch.flush()
    operator.close()
    assert house.counted("sends_total", result="noted") == 0
    assert await house.watch.flush() == 1
    assert await sent(house) == [1]


async def test_more_than_a_batch_is_written_at_once(house: House) -> None:
    await house.bounce()
    for _ in range(watch_module.BATCH + 5):
        house.clock.tick(seconds=1)
        house.path()
    assert await house.watch.flush() == watch_module.BATCH + 5
    assert len(await sent(house)) == watch_module.BATCH + 5


async def test_the_loop_writes_by_itself_and_what_is_left_when_it_stops(house: House) -> None:
    await house.bounce()
    running = asyncio.create_task(house.watch.run())
    house.clock.tick(days=1)
    house.path()
    await asyncio.to_thread(until, lambda: house.counted("sends_total", result="noted") == 1, "noted")
    house.clock.tick(days=1)
    house.path()
    house.watch.stop()
    await running
    assert await sent(house) == [1, 2]


async def test_sends_that_no_decision_needs_are_dropped(house: House) -> None:
    await house.bounce()
    for _ in range(3):
        house.clock.tick(days=1)
        await mail(house)
    assert await house.watch.tidy() == 0, "their bounces may still come"
    house.clock.tick(days=11)
    assert await house.watch.tidy() == 2
    assert await sent(house) == [3]
    house.clock.tick(days=60)
    assert await house.watch.tidy() == 1
    assert await sent(house) == []


async def test_what_another_node_has_signed_is_noted_for_those_who_are_watched(house: House) -> None:
    await house.bounce(user_id=7)
    house.clock.tick(days=1)
    for user_id in (7, 8):
        house.watch.watched.signed_elsewhere(Send("enwiki", user_id, house.clock(), "a1b2c3", "0123abcd"))
    assert await house.watch.flush() == 1
    assert await sent(house) == [1]
    assert house.counted("sends_total", result="noted") == 1

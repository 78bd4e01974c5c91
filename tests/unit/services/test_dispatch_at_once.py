"""Paying what we owe while others do, too: slow wikis, two dispatchers, an end in the midst of a call."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.services import dispatch
from sidecar.services.dispatch import Dispatcher
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database

from .house import House, VillageWiki

SECOND = timedelta(seconds=1)


@contextlib.asynccontextmanager
async def another(house: House, url: str) -> AsyncIterator[Dispatcher]:
    """Another process: its own connections, its own circuits. It waits for a lock, as the house does not."""
    database = Database(url, busy_seconds=20)
    other = house.dispatching(database)
    yield other
    other.close()
    await database.close()


@pytest.fixture
async def second(house: House, url: str) -> AsyncIterator[Dispatcher]:
    async with another(house, url) as dispatcher:
        yield dispatcher


async def called(wiki: VillageWiki) -> None:
    assert await asyncio.to_thread(wiki.called.wait, 10)
    wiki.called.clear()


async def drain(dispatcher: Dispatcher) -> None:
    while await dispatcher.step():
        pass


async def test_one_slow_wiki_does_not_stop_another(house: House) -> None:
    await house.fail_for_eight_days(1, 2, wiki="enwiki")
    await house.fail_for_eight_days(3, wiki="dewiki")
    house.wiki.gate.clear()
    slow = asyncio.create_task(house.dispatcher.step())
    await called(house.wiki)
    assert await house.dispatcher.step(), "dewiki is paid"
    assert not await house.dispatcher.step(), "enwiki has one call at a time"
    assert sorted(await house.states()) == [
        (1, "waiting", ""),
        (2, "waiting", ""),
        (3, "done", "unconfirmed"),
    ]
    house.wiki.gate.set()
    assert await slow
    await drain(house.dispatcher)
    assert {state for _, state, _ in await house.states()} == {"done"}


@pytest.mark.slow
async def test_two_dispatchers_never_call_for_the_same_action(
    house: House, second: Dispatcher, url: str
) -> None:
    await house.fail_for_eight_days(*range(12))
    async with another(house, url) as first:
        await asyncio.gather(drain(first), drain(second), drain(first), drain(second))
    assert sorted(call.user_id for call in house.wiki.calls) == list(range(12))
    assert {(state, effect) for _, state, effect in await house.states()} == {("done", "unconfirmed")}


async def test_a_second_dispatcher_waits_for_the_lease_of_a_call_that_hangs(
    house: House, second: Dispatcher
) -> None:
    await house.fail_for_eight_days()
    house.wiki.gate.clear()
    hanging = asyncio.create_task(house.dispatcher.step())
    await called(house.wiki)
    house.clock.tick(seconds=(LEASE - SECOND) / SECOND)
    assert not await second.step()
    house.clock.tick(seconds=1)
    again = asyncio.create_task(second.step())
    await called(house.wiki)
    house.wiki.gate.set()
    await asyncio.gather(hanging, again)
    assert [state for _, state, _ in await house.states()] == ["done"]
    assert len(house.wiki.calls) == 2


async def test_a_crash_between_call_and_settling_is_repeated_once_and_ends_done(
    house: House, second: Dispatcher
) -> None:
    await house.fail_for_eight_days()
    house.wiki.gate.clear()
    doomed = asyncio.create_task(house.dispatcher.step())
    await called(house.wiki)
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doomed
    house.wiki.gate.set()
    house.dispatcher.close()
    assert house.wiki.confirmed[7] is None, "the wiki has done it, and nobody heard"
    assert not await second.step()
    house.clock.tick(seconds=LEASE / SECOND)
    await drain(second)
    assert await house.states() == [(7, "done", "already")]
    assert len(house.wiki.calls) == 2


@pytest.mark.sqlite
async def test_a_database_that_fails_at_the_settling_repeats_it_after_the_lease(
    house: House, tmp_path: Path
) -> None:
    await house.fail_for_eight_days()
    house.wiki.gate.clear()
    paying = asyncio.create_task(house.dispatcher.step())
    await called(house.wiki)
    operator = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    operator.execute("BEGIN IMMEDIATE")
    house.wiki.gate.set()
    with pytest.raises(sa.exc.OperationalError, match="locked"):
        await paying
    operator.close()
    assert not await house.dispatcher.step()
    house.clock.tick(seconds=LEASE / SECOND)
    await drain(house.dispatcher)
    assert await house.states() == [(7, "done", "already")]


async def test_stop_lets_the_call_under_way_be_settled(house: House) -> None:
    await house.fail_for_eight_days(1, 2)
    house.wiki.gate.clear()
    running = asyncio.create_task(house.dispatcher.run())
    await called(house.wiki)
    house.dispatcher.stop()
    house.wiki.gate.set()
    await asyncio.wait_for(running, 10)
    assert sorted(state for _, state, _ in await house.states()) == ["done", "waiting"]


async def test_the_bell_wakes_a_dispatcher_that_has_nothing_to_do(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "IDLE", 3600.0)
    looks: list[datetime] = []

    def clock() -> datetime:
        looks.append(house.clock())
        return looks[-1]

    dispatcher = Dispatcher(house.database, house.lines(), house.policies, clock, lambda: 0.0)
    running = asyncio.create_task(dispatcher.run())
    for user_id in (1, 2):
        await house.fail_for_eight_days(user_id)
        dispatcher.ring()
        await called(house.wiki)
    dispatcher.stop()
    await asyncio.wait_for(running, 10)
    dispatcher.close()
    assert len(looks) < 30, "between the rings it sleeps"
    assert await house.states() == [(1, "done", "unconfirmed"), (2, "done", "unconfirmed")]


async def test_a_step_that_fails_does_not_end_the_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "IDLE", 0.001)
    await house.fail_for_eight_days()
    moods = iter([OSError("no clock"), OSError("still none")])

    def clock() -> datetime:
        for mood in moods:
            raise mood
        return house.clock()

    dispatcher = Dispatcher(house.database, house.lines(), house.policies, clock, lambda: 0.0)
    running = asyncio.create_task(dispatcher.run())
    await called(house.wiki)
    dispatcher.stop()
    await asyncio.wait_for(running, 10)
    dispatcher.close()
    assert await house.states() == [(7, "done", "unconfirmed")]

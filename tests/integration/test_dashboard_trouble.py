"""The dashboard while the database is in trouble: it says so, what to do, and what it knows all the same."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.storage import brakes
from sidecar.storage.brakes import BrakeState
from tests.integration.doors import PATIENCE
from tests.support.dashboard import BEARER, DashboardHouse
from tests.support.long_history import fill

OTHERS = ("/rates", "/rates/failures.svg", "/rates/providers.svg")


@pytest.fixture
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DashboardHouse]:
    """Waits for its database for the seconds that a test gives as parameter, or as long as a daemon."""
    patience = {"patience": request.param} if hasattr(request, "param") else {}
    house = await DashboardHouse(tmp_path, **patience).open()
    await house.database.write(lambda connection: fill(connection, 300, house.now))
    yield house
    await house.close()


@pytest.mark.slow
async def test_a_database_in_trouble_is_told_with_what_to_do(house: DashboardHouse) -> None:
    with contextlib.closing(sqlite3.connect(house.folder / "history.db")) as other:
        other.execute("ALTER TABLE rate RENAME TO gone")
        other.execute("ALTER TABLE bounce RENAME TO lost")
    overview = await house.ask("/", headers=BEARER)
    assert (overview.status, overview.headers["Retry-After"]) == (503, "30")
    assert "Needs attention: 1" in overview.text
    assert "no such table: rate" in overview.text
    assert "This daemon is running since" in overview.text
    for path in OTHERS:
        said = await house.ask(path, headers=BEARER)
        assert said.status == 503
        assert "This page cannot be made before that is mended" in said.text
        assert "Bounces wait in the mail server&#39;s queue and nothing is lost" in said.text


@pytest.mark.slow
@pytest.mark.parametrize("house", [0.2], indirect=True)
async def test_a_database_that_keeps_silent_is_not_waited_for(house: DashboardHouse) -> None:
    """One who looks on, and never ends, is all that fits; the mail's way is another one."""
    over, readers = threading.Event(), threading.Semaphore(0)

    def read(_: object) -> None:
        readers.release()
        over.wait(PATIENCE)

    asleep = [asyncio.ensure_future(house.database.read(read, onlooker=True))]
    try:
        await asyncio.to_thread(lambda: [readers.acquire(timeout=PATIENCE) for _ in asleep])
        said = await house.ask("/rates", headers=BEARER)
        assert said.status == 503
        assert "The database does not answer within 0.2 s" in said.text
        assert (await house.ask("/", headers=BEARER)).status == 503
        async with asyncio.timeout(PATIENCE):
            assert await house.database.read(lambda c: brakes.brakes(c, BrakeState.TRIPPED)) == []
    finally:
        over.set()
        await asyncio.gather(*asleep)
    async with asyncio.timeout(PATIENCE):
        while (await house.ask("/rates", headers=BEARER)).status != 200:
            pass  # 0.2 s are short, too, for a machine that is busy


@pytest.mark.slow
async def test_a_crowd_of_onlookers_takes_no_reader_from_the_mail(house: DashboardHouse) -> None:
    """They queue up before one thread of their own."""
    seen: list[str] = []

    def look(_: object) -> None:
        seen.append(threading.current_thread().name)

    await asyncio.gather(*(house.showing.look(look) for _ in range(10)))
    assert set(seen) == {"db-onlooker_0"}


@pytest.mark.slow
async def test_all_who_ask_how_it_is_at_once_cost_one_look(house: DashboardHouse) -> None:
    first, *others = await asyncio.gather(*(house.showing.findings() for _ in range(10)))
    assert all(one is first for one in others)
    assert await house.showing.findings() is not first

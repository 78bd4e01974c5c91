"""Programs and tables of different versions: who may work with whom, and who is told to stop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.services.readiness import Readiness
from sidecar.services.receipt import Receipt
from sidecar.storage import upgrading, versions
from sidecar.storage.database import Database, NoHistory, SchemaTooOld, SchemaUnknown
from tests.unit.services.house import House

from .test_migrations import Killed, killed
from .test_schema import differences

NUMBERS = count(8)  # of users who have not failed yet
HERE = Path(__file__).parent
NOW = versions.newest()
BEFORE = f"{int(NOW) - 1:04}"


@pytest.fixture
async def watchful(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """One that looks before each transaction whether the tables are still for it."""
    monkeypatch.setattr(versions, "LOOK", 0.0)
    monkeypatch.setattr(upgrading, "NOTICED", 0.0)
    opened = Database(url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def house(watchful: Database) -> AsyncIterator[House]:
    """A node."""
    house = House(watchful)
    assert await house.bounce() is Receipt.TAKEN
    yield house
    house.close()


@contextmanager
def as_program_of(folder: str) -> Iterator[None]:
    """One whose newest migration lies in *folder*."""
    before = versions.FOLDERS
    versions.FOLDERS = (*before, HERE / folder)
    try:
        yield
    finally:
        versions.FOLDERS = before


async def upgraded(url: str, folder: str) -> list[str]:
    told: list[str] = []
    newer = Database(url)
    with as_program_of(folder):
        await newer.upgrade(told.append)
    await newer.close()
    return told


async def everything_works(house: House) -> None:
    users = next(NUMBERS), next(NUMBERS)
    await house.fail_for_eight_days(*users)
    await house.pay()
    assert [act.user_id for _, act in house.wiki.acts[-2:]] == list(users)
    assert {state for _, state, _ in await house.states()} == {"done"}


@pytest.mark.slow
async def test_a_node_goes_on_while_the_tables_become_newer_and_may_be_restarted(
    house: House, url: str
) -> None:
    await everything_works(house)
    told = await upgraded(url, "next")
    assert told[-1] == "at version 9001"
    await everything_works(house)
    restarted = Database(url)
    await restarted.open()
    again = House(restarted)
    again.clock.now = house.clock.now
    await everything_works(again)
    with as_program_of("next"):
        await house.database.downgrade(NOW)
    await everything_works(house)
    assert await house.database.read(differences) == []
    again.close()
    await restarted.close()


async def test_an_older_program_leaves_newer_tables_as_they_are(house: House, url: str) -> None:
    await upgraded(url, "next")
    told: list[str] = []
    await house.database.upgrade(told.append)
    assert told == ["at version 9001, newer than this program, which may use it: nothing to do"]


async def test_who_is_too_old_for_the_tables_is_told_so_and_goes_on_once_they_are_taken_back(
    house: House, url: str
) -> None:
    words = "at version 9001, and a newer bounce-sidecar has changed it; its tables are for 9001 or newer"
    await upgraded(url, "breaking")
    several = await asyncio.gather(
        *(house.bounce(user_id=user) for user in (1, 2, 3)), return_exceptions=True
    )
    assert [type(each) for each in several] == [SchemaUnknown] * 3
    assert all(words in str(each) for each in several)
    assert await Readiness(house.database).why_not() == "The database's tables are of another version"
    fresh = Database(url)
    for start in (fresh.open, fresh.join, fresh.upgrade):
        with pytest.raises(SchemaUnknown, match=words):
            await start()
    await fresh.close()
    with as_program_of("breaking"):
        await house.database.downgrade(NOW)
    await everything_works(house)
    assert await Readiness(house.database).why_not() == ""


async def test_the_older_ones_are_shut_out_before_anything_changes(house: House, url: str) -> None:
    if house.database.kind == "sqlite":
        return  # all at once
    with killed(lambda statement: "ALTER TABLE" in statement), pytest.raises(Killed):
        await upgraded(url, "breaking")
    assert await house.database.read(versions.find) == versions.Version(NOW, NOW, "9001")
    with pytest.raises(SchemaUnknown, match="9001"):
        await house.bounce()


async def test_nobody_is_waited_for_where_all_is_changed_at_once(house: House, url: str) -> None:
    waited = any("noticed" in words for words in await upgraded(url, "breaking"))
    assert waited == (house.database.kind != "sqlite"), "with the file locked nobody could notice anything"


async def test_a_node_is_not_asked_to_work_with_tables_that_are_too_old(house: House, url: str) -> None:
    await house.database.downgrade(BEFORE)
    with pytest.raises(SchemaTooOld, match=f"at version {BEFORE}, this program wants {NOW}: .*db upgrade"):
        await house.bounce()
    await house.database.upgrade()
    await everything_works(house)


async def test_a_node_whose_tables_are_gone_books_nothing(house: House) -> None:
    await house.database.downgrade("base")
    with pytest.raises(NoHistory):
        await house.bounce()


async def test_a_look_now_and_then_is_enough(database: Database, url: str) -> None:
    looks: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "alembic_version" in statement and statement.startswith("SELECT"):
            looks.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    for _ in range(10):
        await database.write(lambda c: c.execute(sa.text("SELECT 1")).all())
    sa.event.remove(sa.Engine, "before_cursor_execute", hear)
    assert len(looks) <= 1

"""SQLite's manners: one writer whose commits are shared, and a file that may be full, locked or replaced."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.storage.database import Database, FileReplaced, NoHistory

from .works import counter, insert, insert_and_fail, names


@pytest.fixture(params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(counter.create)
    return database


@pytest.fixture
def careless() -> Iterator[None]:
    """Somebody whose files everybody may read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless")
async def test_a_new_history_is_nothing_for_others(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.db")
    await database.open()
    await database.write(counter.create)
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    await database.close()
    assert modes == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm"), "0o640")


@pytest.fixture
def commits() -> Iterator[list[str]]:
    """One entry for each commit of any engine."""
    seen: list[str] = []

    def note(connection: sa.Connection) -> None:
        seen.append("commit")

    sa.event.listen(sa.Engine, "commit", note)
    yield seen
    sa.event.remove(sa.Engine, "commit", note)


async def test_works_share_a_commit_but_not_their_fate(database: Database, commits: list[str]) -> None:
    works = [insert("a"), insert_and_fail("b"), insert("c"), insert("a"), insert("d")]
    results = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    assert [result if isinstance(result, str) else type(result) for result in results] == [
        "a", LookupError, "c", sa.exc.IntegrityError, "d",
    ]  # fmt: skip
    assert await database.read(names) == ["a", "c", "d"]
    assert len(commits) == 1


async def test_a_hundred_works_need_two_commits(database: Database, commits: list[str]) -> None:
    await asyncio.gather(*(database.write(insert(f"{n:03}")) for n in range(100)))
    assert len(await database.read(names)) == 100
    assert len(commits) == 2


async def test_a_locked_database_raises_after_the_busy_time_and_commits_nothing(
    database: Database, tmp_path: Path
) -> None:
    operator = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    operator.execute("BEGIN IMMEDIATE")
    works = [database.write(insert("a")), database.write(insert("b"))]
    results = await asyncio.gather(*works, return_exceptions=True)
    assert [type(result) for result in results] == [sa.exc.OperationalError] * 2
    operator.execute("COMMIT")
    operator.close()
    assert await database.read(names) == []
    assert await database.write(insert("c")) == "c"


async def test_a_full_disk_is_an_error_for_everybody_and_nothing_is_half_written(database: Database) -> None:
    pages = await database.write(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
    await database.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}").scalar_one())
    works = [insert("small"), insert("x" * 100_000), insert("small too")]
    results = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    assert ["disk is full" in str(result) for result in results] == [True, True, True]
    assert await database.read(names) == []
    await database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count=1000000").scalar_one())
    assert await database.write(insert("when there is room again"))


async def test_reading_goes_on_while_somebody_else_writes(database: Database, tmp_path: Path) -> None:
    await database.write(insert("there"))
    operator = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    operator.execute("BEGIN IMMEDIATE")
    assert await database.read(names) == ["there"]
    operator.close()


async def test_a_commit_is_on_disk_and_not_only_in_the_systems_memory(database: Database) -> None:
    def manners(connection: sa.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]

    assert await database.write(manners) == ["wal", 2, 1]  # 2 is FULL: each commit is fsynced


async def test_a_private_database_in_memory_keeps_what_is_written() -> None:
    private = Database("sqlite://")
    await private.open()
    await private.write(counter.create)
    await private.write(insert("here"))
    assert await private.read(names) == ["here"]
    await private.close()


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_nothing_is_promised_once_the_file_is_another_one(tmp_path: Path, how: str) -> None:
    file = tmp_path / "history.db"
    database = Database(f"sqlite:///{file}")
    await database.open()
    await database.write(counter.create)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    file.unlink() if how == "removed" else copy.replace(file)
    with pytest.raises(FileReplaced, match=how):
        await database.write(lambda connection: connection.execute(counter.insert().values(name="a", n=1)))
    await database.close()


async def test_a_database_that_cannot_be_written_shows_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    first = Database(f"sqlite:///{file}")
    await first.open()
    await first.close()
    again = Database(f"sqlite:///{file}?mode=ro&uri=true".replace("///", "///file:", 1))
    with pytest.raises(sa.exc.OperationalError, match="readonly"):
        await again.open()
    await again.close()


async def test_a_history_that_is_not_there_is_not_made_by_joining(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/history.db")
    with pytest.raises(NoHistory):
        await database.join()
    await database.close()
    assert list(tmp_path.iterdir()) == []

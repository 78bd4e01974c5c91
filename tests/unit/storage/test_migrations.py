"""Changes of the tables that are killed half-way: said again, or the other way, the tables are whole."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from sidecar.storage import ledger
from sidecar.storage.database import Database
from sidecar.storage.schema import account

from .rows import owe
from .test_schema import differences, downgrade, tables, upgrade

CHANGES = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)", re.IGNORECASE)


class Killed(Exception):
    """As if the process had ended right before a statement."""


@contextmanager
def killed(when: Callable[[str], bool]) -> Iterator[None]:
    """Before the statement for which *when* is true; reads do not count."""

    def look(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if CHANGES.match(statement) and when(statement):
            raise Killed(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", look)


def before_each(work: Callable[[], object]) -> int:
    """*work* again and again, killed before each of its statements in turn; how often."""
    met: list[str] = []

    def new(statement: str) -> bool:
        if statement in met:
            return False
        met.append(statement)
        return True

    with killed(new):
        while True:
            try:
                work()
            except Killed:
                continue
            return len(met)


def before_nth(number: int) -> Callable[[str], bool]:
    countdown = iter(range(number, -1, -1))
    return lambda _: next(countdown, 1) == 0


async def filled(url: str) -> None:
    database = Database(url)
    await database.write(_fill)
    await database.close()


def _fill(connection: sa.Connection) -> None:
    for user in (7, 8):
        owe(connection, user_id=user)
    # A server's rows for locks; SQLite has them in histories of before it did without.
    there = set(connection.execute(sa.select(account.c.user_id)).scalars())
    for user in {7, 8} - there:
        connection.execute(account.insert().values(wiki="enwiki", user_id=user))


async def known(url: str) -> tuple[list[int], int]:
    """Users of whom there is an account, and how many bounces there are."""
    database = Database(url)
    found = await database.read(
        lambda c: (
            list(c.execute(sa.text("SELECT user_id FROM account ORDER BY user_id")).scalars()),
            sum(len(ledger.of_user(c, "enwiki", user)) for user in (7, 8)),
        )
    )
    await database.close()
    return found


@pytest.mark.slow
async def test_killed_before_each_statement_and_said_again_it_is_as_if_nothing_had_been(
    bare_url: str,
) -> None:
    def up() -> list[object]:
        return asyncio.run(upgrade(bare_url))

    def down() -> None:
        asyncio.run(downgrade(bare_url))

    assert await asyncio.to_thread(before_each, up) > 45
    assert await upgrade(bare_url) == []
    await filled(bare_url)
    assert await asyncio.to_thread(before_each, down) > 45
    assert tables(bare_url) == set()


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 9, 20])
async def test_a_downgrade_that_was_killed_may_be_taken_back(url: str, number: int) -> None:
    await upgrade(url)
    await filled(url)
    with killed(before_nth(number)), pytest.raises(Killed):
        await downgrade(url, "0002")
    assert await upgrade(url) == []
    assert await known(url) == ([7, 8], 2)


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 9, 20])
async def test_an_upgrade_that_was_killed_may_be_taken_back(url: str, number: int) -> None:
    await upgrade(url)
    await filled(url)
    await downgrade(url, "0002")
    database = Database(url)
    as_it_was = await database.read(shape)
    with killed(before_nth(number)), pytest.raises(Killed):
        await upgrade(url)
    await downgrade(url, "0002")
    assert await database.read(shape) == as_it_was
    await database.close()


def shape(connection: sa.Connection) -> dict[str, tuple[object, ...]]:
    """Of each table: its columns, and its indexes by name."""
    look = sa.inspect(connection)
    return {
        table: (
            [(column["name"], column["nullable"]) for column in look.get_columns(table)],
            sorted((str(index["name"]), index["column_names"]) for index in look.get_indexes(table)),
        )
        for table in look.get_table_names()
    }


async def test_of_two_that_upgrade_at_the_same_time_one_waits(bare_url: str) -> None:
    first, second = Database(bare_url), Database(bare_url)
    told: list[str] = []
    await asyncio.gather(first.upgrade(told.append), second.upgrade(told.append))
    assert await first.read(differences) == []
    assert len([line for line in told if line == "create table notice"]) == 1
    assert [line for line in told if "nothing to do" in line]
    await first.close()
    await second.close()


async def test_a_dry_run_tells_the_steps_and_takes_none(bare_url: str) -> None:
    database = Database(bare_url)
    told: list[str] = []
    await database.upgrade(told.append, dry=True)
    assert tables(bare_url) == set()
    taken: list[str] = []
    await database.upgrade(taken.append)
    assert [line for line in told if not line.startswith("version ")] == [
        line for line in taken if not line.startswith("at version")
    ]
    await database.close()

"""What a commit promises on every database: all or nothing, nobody's update lost, kept when we are killed."""

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.storage.database import Database

from .works import counter, increment, insert, insert_and_fail, names


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(counter.create)
    return database


async def test_a_work_that_fails_leaves_nothing_and_its_error_comes_back(database: Database) -> None:
    with pytest.raises(LookupError, match="half"):
        await database.write(insert_and_fail("half"))
    assert await database.read(names) == []


@pytest.mark.parametrize("databases", [1, 2])
async def test_many_writers_lose_no_update(database: Database, url: str, databases: int) -> None:
    await database.write(insert("all"))
    others = [Database(url) for _ in range(databases)]

    async def write_many(other: Database) -> None:
        for _ in range(25):
            await other.write(increment)

    await asyncio.gather(*(write_many(others[task % databases]) for task in range(8)))
    assert await database.read(lambda c: c.execute(sa.select(counter.c.n)).scalar_one()) == 200
    for other in others:
        await other.close()


async def test_a_reader_at_work_does_not_hold_up_a_writer_and_sees_one_state(database: Database) -> None:
    looking, go_on = threading.Event(), threading.Event()

    def look_twice(connection: sa.Connection) -> list[list[str]]:
        first = names(connection)
        looking.set()
        assert go_on.wait(10)
        return [first, names(connection)]

    reading = asyncio.create_task(database.read(look_twice))
    await asyncio.to_thread(looking.wait, 10)
    await database.write(insert("new"))
    go_on.set()
    assert await reading == [[], []]
    assert await database.read(names) == ["new"]


async def test_who_only_reads_cannot_write(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.?only"):
        await database.read(insert("sneaked in"))
    assert await database.read(names) == []


async def test_a_waiter_that_is_cancelled_takes_nobody_with_it(database: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        insert("slow")(connection)
        inside.set()
        assert go_on.wait(10)

    waiter = asyncio.create_task(database.write(slow))
    neighbour = asyncio.create_task(database.write(insert("neighbour")))
    await asyncio.to_thread(inside.wait, 10)
    later = asyncio.create_task(database.write(insert("later")))
    waiter.cancel()
    go_on.set()
    async with asyncio.timeout(10):
        assert await neighbour == "neighbour"
        assert await later == "later"
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert await database.read(names) == ["later", "neighbour", "slow"]


async def test_closing_waits_for_what_is_being_written(url: str, database: Database) -> None:
    other = Database(url)
    writing = [asyncio.create_task(other.write(insert(f"{n:03}"))) for n in range(70)]
    await asyncio.sleep(0)  # the tasks have reached the queue
    await other.close()
    assert len(await asyncio.gather(*writing)) == len(await database.read(names)) == 70


WRITE_AND_WAIT = """
import asyncio, sys
import sqlalchemy as sa
from sidecar.storage.database import Database

async def main():
    database = Database(sys.argv[1])
    await database.write(lambda c: c.execute(sa.text("INSERT INTO counter VALUES ('promised', 1)")).rowcount)
    print("written", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_kill_right_after_write_has_returned_loses_nothing(database: Database, url: str) -> None:
    command = [sys.executable, "-c", WRITE_AND_WAIT, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout
        assert await asyncio.to_thread(process.stdout.readline) == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert await database.read(names) == ["promised"]

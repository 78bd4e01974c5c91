"""MariaDB and PostgreSQL as they are at night: others in the way, killed, restarted, read-only, silent."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from sidecar.storage import writers
from sidecar.storage.database import Database, DatabaseSilent
from sidecar.storage.engines import Engines
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import ON_SERVERS

from .works import counter, insert, names


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(counter.create)
    return database


@pytest.fixture
def running(server: DatabaseServer) -> Iterator[DatabaseServer]:
    """The server, which runs again afterwards whatever the test does to it."""
    yield server
    server.thaw()
    server.revive()


async def test_who_meets_the_same_key_at_the_same_time_looks_again(database: Database) -> None:
    both_have_looked = threading.Barrier(2, timeout=20)
    tries: list[str] = []

    def enter_once(connection: sa.Connection) -> str:
        tries.append("try")
        if "same" in names(connection):
            return "was there"
        if len(tries) < 3:
            both_have_looked.wait()
        return insert("same")(connection)

    results = await asyncio.gather(database.write(enter_once), database.write(enter_once))
    assert sorted(results) == ["same", "was there"]
    assert await database.read(names) == ["same"]


async def test_two_that_wait_for_each_other_are_both_done(database: Database) -> None:
    for name in ("left", "right"):
        await database.write(insert(name))
    both_hold_one = threading.Barrier(2, timeout=20)
    tries: list[str] = []

    def add(connection: sa.Connection, name: str) -> None:
        connection.execute(counter.update().where(counter.c.name == name).values(n=counter.c.n + 1))

    def in_order(first: str, second: str) -> object:
        def work(connection: sa.Connection) -> None:
            tries.append(first)
            add(connection, first)
            if len(tries) < 3:
                both_hold_one.wait()
            add(connection, second)

        return database.write(work)

    await asyncio.gather(in_order("left", "right"), in_order("right", "left"))  # type: ignore[call-overload]
    assert await database.read(lambda c: list(c.execute(sa.select(counter.c.n)).scalars())) == [2, 2]
    assert len(tries) > 2


async def test_a_server_that_was_killed_and_is_back_is_used_again(
    database: Database, running: DatabaseServer
) -> None:
    await database.write(insert("before"))
    running.kill()
    with pytest.raises(sa.exc.OperationalError):
        await database.write(insert("meanwhile"))
    running.start()
    await database.write(insert("after"))
    assert await database.read(names) == ["after", "before"]


async def test_a_server_that_lets_nobody_write_is_asked_again_and_nothing_is_promised(
    database: Database, running: DatabaseServer, url: str
) -> None:
    running.only_read(url)
    with pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.?only"):
        await database.write(insert("refused"))
    with pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.?only"):
        await database.prove()
    assert await database.read(names) == []
    running.let_write(url)
    await database.write(insert("again"))
    assert await database.read(names) == ["again"]


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    database: Database, running: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "SILENT", 0.5)
    await database.write(insert("before"))
    running.freeze()
    for asked in (database.write(insert("unheard")), database.read(names)):
        with pytest.raises(DatabaseSilent):
            await asked
    running.thaw()
    monkeypatch.undo()
    await database.write(insert("after"))
    assert {"before", "after"} <= set(await database.read(names))


@pytest.mark.parametrize("kind", ON_SERVERS[1:], indirect=True)
async def test_a_server_that_vanishes_with_a_question_in_its_hands_is_noticed_within_a_minute(
    database: Database,
) -> None:
    def seconds(connection: sa.Connection) -> int:
        descriptor = connection.connection.driver_connection.pgconn.socket  # type: ignore[union-attr]
        with socket.socket(fileno=os.dup(descriptor)) as wire:
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, every, times = (
                wire.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
        return idle + every * times

    assert await database.write(seconds) <= 60
    assert await database.read(seconds) <= 60


async def test_a_connection_that_breaks_in_our_hands_is_told_by_who_asks_next_alone(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engines.of(url, "", busy_seconds=1, writers=1, readers=1).writing
    connection = engine.raw_connection()
    connection.cursor().execute("SELECT 1")
    assert connection.driver_connection
    connection.driver_connection.close()  # as a server does that is killed
    connection.close()
    assert caplog.records == []
    engine.dispose()

"""A database in trouble is told of once, and so is its end, however much is asked of it meanwhile."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs

from sidecar import host
from sidecar.domain.trouble import Tolerance
from sidecar.services.dispatch import Dispatcher
from sidecar.services.gauges import Gauges
from sidecar.services.lines import Lines
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.storage import aside
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics, report

HERE = HostSigns(host.now, lambda: None, lambda: True)
LINES = ("database in trouble", "database is back")


@pytest.fixture(params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A daemon's: it counts, and tells."""
    opened = Database(url, busy_seconds=0.1, metrics=Metrics(), logs_trouble=True)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def operator(database: Database, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who has locked the file: it can be read, and not be written."""
    with closing(sqlite3.connect(tmp_path / "history.db", isolation_level=None)) as operator:
        operator.execute("BEGIN IMMEDIATE")
        yield operator


async def cannot_write(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(sa.exc.OperationalError):
            await database.prove()
        assert await database.read(aside.waiting) == 0
        assert not database.good


async def test_a_database_that_can_be_read_and_not_written_is_in_trouble_until_it_is_written(
    database: Database, operator: sqlite3.Connection
) -> None:
    with capture_logs() as lines:
        await cannot_write(database)
        operator.execute("COMMIT")
        await database.prove()
    assert [line["event"] for line in lines] == [*LINES]
    assert database.good


async def test_a_command_tells_its_trouble_by_itself_and_the_log_says_nothing(
    database: Database, operator: sqlite3.Connection, url: str
) -> None:
    command = Database(url, busy_seconds=0.1, metrics=Metrics())
    with capture_logs() as lines:
        await cannot_write(command)
        operator.execute("COMMIT")
        await command.prove()
    await command.close()
    assert lines == []


async def test_the_gauges_find_out_that_trouble_is_over_where_nobody_writes(
    database: Database, operator: sqlite3.Connection
) -> None:
    with capture_logs() as lines:
        await cannot_write(database)
        operator.execute("COMMIT")
        calls = Dispatcher(database, Lines({}), {}, host.now, lambda: 0.0).calls
        await Gauges(database, Metrics(), Watchman(database, HERE, calls.logins, Tolerance()), calls).round()
    assert [line["event"] for line in lines] == [*LINES]


async def test_what_fails_because_of_it_is_told_at_debug_alone(
    database: Database, operator: sqlite3.Connection
) -> None:
    with capture_logs() as lines:
        with pytest.raises(sa.exc.OperationalError) as caught:
            await database.prove()
        report(structlog.get_logger(), "intake failed", caught.value)
        report(structlog.get_logger(), "intake failed", ValueError())
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("database in trouble", "error"),
        ("intake failed", "debug"),
        ("intake failed", "error"),
        ("intake failed", "debug"),
    ]

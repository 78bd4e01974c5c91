"""Fixtures: real database servers, and for each test a database of its own with our tables.

Knows how long each server lives (as long as the process that runs the tests) and that a database is copied
from a pattern, because making the tables anew takes longer. Does not know any test.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.database_server import DatabaseServer
from tests.support.debs import DownloadFailed
from tests.support.fresh_history import fresh_file, make_tables
from tests.support.mariadb_server import MariaDb
from tests.support.places import missing
from tests.support.postgresql_server import PostgreSql

__all__ = ["ON_EACH", "ON_SERVERS", "PATTERN"]

PATTERN = "pattern"  # a database with our tables and nothing in them
_numbers = count(1)

#: For indirect parametrisation of ``url``.
ON_SERVERS = [pytest.param(name, marks=pytest.mark.servers) for name in ("mariadb", "postgresql")]
ON_EACH = ["sqlite", *ON_SERVERS]


def _served(kind: type[DatabaseServer]) -> Iterator[DatabaseServer]:
    folder = Path(tempfile.mkdtemp(prefix="db-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        server = kind(folder / "server")
    except DownloadFailed as trouble:
        missing(f"{kind.__name__}: {trouble}")
    make_tables(server.create(PATTERN))
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """A real MariaDB."""
    yield from _served(MariaDb)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """A real PostgreSQL."""
    yield from _served(PostgreSql)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    """The server of this test's ``url``; without its mark, `make test-quick` would start one."""
    assert request.node.get_closest_marker("servers")
    kind: str = request.getfixturevalue("kind")
    found: DatabaseServer = request.getfixturevalue(kind)
    return found


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Which database this test is about; "sqlite" unless parametrised."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own, with our tables."""
    if kind == "sqlite":
        yield f"sqlite:///{fresh_file(tmp_path / 'history.db')}"
        return
    server: DatabaseServer = request.getfixturevalue("server")
    url = server.copy(PATTERN, f"test_{os.getpid()}_{next(_numbers)}")
    yield url
    server.drop(str(sa.make_url(url).database))


@pytest.fixture
def bare_url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/bare.db"
        return
    server: DatabaseServer = request.getfixturevalue("server")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield server.create(name)
    server.drop(name)

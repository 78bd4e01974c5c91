"""A history of its own for each test, in a real file, a real MariaDB and a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from sidecar.storage.database import Database
from tests.support.fixtures_databases import ON_EACH


@pytest.fixture(params=ON_EACH)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database: every test of this folder runs on each, unless it says otherwise."""
    return str(request.param)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url, busy_seconds=0.1)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[Database]:
    """The second node's way to the same database."""
    opened = Database(url)
    await opened.open()
    yield opened
    await opened.close()

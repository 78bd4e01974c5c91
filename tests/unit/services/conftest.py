"""A house of its own for each test, over a history in a real file."""

from collections.abc import AsyncIterator

import pytest

from sidecar.storage.database import Database
from tests.support.fixtures_databases import ON_EACH
from tests.support.fresh_history import in_memory

from .farm import Farm
from .house import House

#: Files whose tests run on each database: what they are about is done by it, or under its locks.
ON_ALL = {
    f"test_{name}"
    for name in (
        "brakes", "canary", "digest", "dispatch", "dispatch_at_once", "intake", "pulse", "rollup", "summary",
        "undo", "upkeep", "watch",
    )
}  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    here = metafunc.module.__name__.rpartition(".")[2] in ON_ALL
    sqlite_only = metafunc.definition.get_closest_marker("sqlite")
    if here and "kind" in metafunc.fixturenames and not sqlite_only:
        metafunc.parametrize("kind", ON_EACH, indirect=True)


@pytest.fixture
async def house(url: str) -> AsyncIterator[House]:
    database = Database(url, busy_seconds=0.1)
    await database.open()
    house = House(database)
    yield house
    house.close()
    await database.close()


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    database = await in_memory()
    farm = Farm(database)
    yield farm
    farm.close()
    await database.close()

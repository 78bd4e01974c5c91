"""A house of its own for each test, over a history in a real file; a farm; and a node's canaries."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sidecar.services.canary import Canaries, HandOver
from sidecar.storage.database import Database
from tests.support.fixtures_databases import ON_EACH
from tests.support.fresh_history import in_memory

from .farm import Farm
from .flock import TIMES, Post
from .house import House

#: Files whose tests run on each database: what they are about is done by it, or under its locks.
ON_ALL = {
    f"test_{name}"
    for name in (
        "brakes", "canary", "canary_lost", "digest", "dispatch", "dispatch_at_once", "intake", "intake_owed",
        "pulse", "rollup", "summary", "undo", "upkeep", "upkeep_rounds", "watch", "watch_written",
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


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def flock(house: House, post: Post) -> Any:
    """Makes the canaries of a node."""
    made: list[Canaries] = []

    def of(node: str = "mx1", hand_over: HandOver = post, database: Database | None = None) -> Canaries:
        made.append(
            Canaries(
                database or house.database, house.paths, node, hand_over, TIMES, house.clock, house.metrics
            )
        )
        return made[-1]

    yield of
    for one in made:
        one.close()

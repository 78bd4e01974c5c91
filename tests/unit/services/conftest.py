"""A house of its own for each test, over a history in a real file."""

from collections.abc import AsyncIterator

import pytest

from sidecar.storage.database import Database

from .farm import Farm
from .house import House


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
    database = Database("sqlite://")
    await database.open()
    farm = Farm(database)
    yield farm
    farm.close()
    await database.close()

"""A house of its own for each test, over a history in a real file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.storage.database import Database

from .house import House


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/history.db"


@pytest.fixture
async def house(url: str) -> AsyncIterator[House]:
    database = Database(url, busy_seconds=0.1)
    await database.open()
    house = House(database)
    yield house
    house.close()
    await database.close()

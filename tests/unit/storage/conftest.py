"""A history of its own for each test, in a real file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.storage.database import Database


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/history.db"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url, busy_seconds=0.1)
    await opened.open()
    yield opened
    await opened.close()

"""A history with our tables and nothing in it: made once in a process of the tests, as the daemon makes it.

From then on it is copied, because making the tables takes seven times as long as opening them.

Knows SQLite alone. Does not know any test.
"""

import asyncio
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from sidecar.storage.database import Database

__all__ = ["fresh_file", "fresh_unless_there", "in_memory", "make_tables"]


def make_tables(url: str) -> None:
    """As `db upgrade` does."""

    async def make() -> None:
        database = Database(url)
        await database.upgrade()
        await database.close()

    asyncio.run(make())


@cache
def _fresh() -> bytes:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as apart:  # here may be a loop
        path = Path(folder) / "history.db"
        apart.submit(make_tables, f"sqlite:///{path}").result()
        return path.read_bytes()


@cache
def _pattern() -> sqlite3.Connection:
    """The same in memory, from where it is copied without a file."""
    pattern = sqlite3.connect(":memory:", check_same_thread=False)
    with tempfile.TemporaryDirectory() as folder:
        path = fresh_file(Path(folder) / "history.db")
        with closing(sqlite3.connect(path)) as file:
            file.backup(pattern)
    return pattern


def fresh_file(path: Path) -> Path:
    """As the daemon leaves it after its first start."""
    path.write_bytes(_fresh())
    return path


def fresh_unless_there(path: Path) -> Path:
    """The same for a house that may be another's, or an earlier one's."""
    return path if path.exists() else fresh_file(path)


async def in_memory() -> Database:
    """A private one, open."""

    def fill(connection: sa.Connection) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        _pattern().backup(raw)

    database = Database("sqlite://")
    await database.look(fill)
    await database.open()
    return database

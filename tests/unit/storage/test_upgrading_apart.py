"""SQLite's tables, made by a process of its own; whatever hinders it, the daemon goes on without."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.storage.database import Database
from sidecar.storage.upgrading_apart import upgrade_apart
from sidecar.storage.versions import newest
from tests.support.fresh_history import fresh_file


def version(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as file:
        if not file.execute("SELECT 1 FROM sqlite_master").fetchall():
            return []
        return file.execute("SELECT version_num FROM alembic_version").fetchall()


@pytest.mark.slow
def test_tables_are_made(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    upgrade_apart(f"sqlite:///{path}")
    assert version(path) == [(newest(),)]


def test_what_is_in_order_needs_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fresh_file(tmp_path / "history.db")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("a process was started"))
    upgrade_apart(f"sqlite:///{path}")
    upgrade_apart("postgresql+psycopg://127.0.0.1:9/no-business-of-ours")


@pytest.mark.parametrize("program", ["/bin/false", "/nonexistent"])
def test_where_there_is_no_other_process_opening_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    path = tmp_path / "history.db"
    upgrade_apart(f"sqlite:///{path}")
    assert version(path) == []

    async def opened() -> None:
        database = Database(f"sqlite:///{path}")
        await database.open()
        await database.close()

    asyncio.run(opened())
    assert version(path) == [(newest(),)]


def test_what_hinders_it_is_left_to_be_told_by_opening(tmp_path: Path) -> None:
    upgrade_apart(f"sqlite:///{tmp_path}/no/such/folder/history.db")
    garbage = tmp_path / "history.db"
    garbage.write_bytes(b"not a database " * 100)
    upgrade_apart(f"sqlite:///{garbage}")
    assert garbage.read_bytes() == b"not a database " * 100

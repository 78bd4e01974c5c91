"""SQLite's file at its first use, while somebody else writes in it: two daemons, or a command beside one."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.storage.engines import Engines


def made_by_another(path: Path) -> sqlite3.Connection:
    """Who has begun to write in a file that is no WAL yet: SQLite tells all who would make it one to go."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE theirs (x)")
    other.execute("BEGIN IMMEDIATE")
    return other


def opened(path: Path, busy_seconds: float) -> sa.Connection:
    engines = Engines.of(f"sqlite:///{path}", "", busy_seconds=busy_seconds, writers=1, readers=1)
    return engines.writing.connect()


def test_who_makes_it_a_wal_waits_for_who_writes_in_it(tmp_path: Path) -> None:
    with closing(made_by_another(tmp_path / "history.db")) as other:
        done = threading.Timer(0.2, lambda: other.execute("COMMIT"))
        done.start()
        with opened(tmp_path / "history.db", 30) as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        done.join()


def test_who_makes_it_a_wal_does_not_wait_for_ever(tmp_path: Path) -> None:
    with (
        closing(made_by_another(tmp_path / "history.db")),
        pytest.raises(sa.exc.OperationalError, match="database is locked"),
    ):
        opened(tmp_path / "history.db", 0.1)

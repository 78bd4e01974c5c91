"""SQLite's file: whether it is still the one that was opened, and how it is made to forget.

Knows files and SQLite's log. Does not know any table.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sidecar.telemetry import Tellable

__all__ = ["FileReplaced", "SqliteFile", "outside_transactions"]


class FileReplaced(Tellable):
    """The database's file was removed or replaced under us. Nothing is booked until a restart."""


class SqliteFile:
    """What is written to a file that was removed or replaced is lost: 250 must not be said for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode: tuple[int, int] | None = None

    def note(self) -> None:
        """This is the one."""
        status = self.path.stat()
        self._inode = status.st_dev, status.st_ino

    def check(self) -> None:
        """Raises FileReplaced if it is another one by now."""
        if self._inode is None:
            return
        try:
            status = self.path.stat()
        except FileNotFoundError:
            raise FileReplaced(f"{self.path} was removed; put it back and restart") from None
        if (status.st_dev, status.st_ino) != self._inode:
            raise FileReplaced(f"{self.path} was replaced; restart")


def outside_transactions(engine: sa.Engine, statement: str) -> tuple[Any, ...]:
    """What is refused inside a transaction, which SQLAlchemy always begins. The first row, () without one."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
            return tuple(cursor.fetchone() or ())
        finally:
            cursor.close()

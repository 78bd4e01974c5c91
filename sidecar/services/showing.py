"""What people are shown of the history, or why it cannot be shown.

Knows the words for a database in trouble, and what to do about it. Changes nothing.
"""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from sidecar.services.readiness import trouble_with
from sidecar.storage.database import (
    Database,
    DatabaseSilent,
    FileReplaced,
    NoHistory,
    SchemaTooOld,
    SchemaUnknown,
)

__all__ = ["CannotShow", "Showing"]

R = TypeVar("R")

TROUBLE = (
    sa.exc.SQLAlchemyError, DatabaseSilent, FileReplaced, NoHistory, SchemaTooOld, SchemaUnknown
)  # fmt: skip
REMEDY = (
    "Nothing is lost: bounces wait in the mail server's queue, and actions in the database. Ask "
    "`bounce-sidecar db status`, and look at the daemon's log for `database in trouble`."
)


class CannotShow(Exception):
    """The database is in trouble; nothing of the history can be shown before that is mended."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why, self.remedy = why, REMEDY


class Showing:
    """Reads for whoever looks in."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def look(self, work: Callable[[sa.Connection], R]) -> R:
        """Raises CannotShow."""
        try:
            return await self._db.read(work)
        except TROUBLE as error:
            raise CannotShow(trouble_with(error)) from error

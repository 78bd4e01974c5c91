"""Whether a bounce could be booked now, for whoever watches from outside.

Knows the words for why not; they tell nothing of the machine. Does not know who asks.
"""

from sidecar.storage.database import (
    Database,
    DatabaseSilent,
    FileReplaced,
    NoHistory,
    SchemaTooOld,
    SchemaUnknown,
)
from sidecar.storage.health import why_not

__all__ = ["Readiness", "trouble_with"]


class Readiness:
    """Has the database prove it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def why_not(self) -> str:
        """ "" if a bounce could be booked."""
        try:
            await self._db.prove()
        except Exception as error:
            return trouble_with(error)
        return ""


def trouble_with(error: Exception) -> str:
    """What an *error* of the database means to people."""
    match error:
        case FileReplaced():
            return "The database's file was removed or replaced"
        case NoHistory() | SchemaTooOld() | SchemaUnknown():
            return "The database's tables are of another version"
        case DatabaseSilent():
            return "The database does not answer"
    return why_not(error)  # the database's own line tells the operator more

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
from sidecar.telemetry import Tellable

__all__ = ["Readiness", "in_words", "trouble_with"]


class Readiness:
    """Has the database prove it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def why_not(self) -> str:
        """ "" if a bounce could be booked."""
        try:
            await self._db.prove()
        except Exception as error:  # the database's own line tells the operator more
            return trouble_with(error)
        return ""


def in_words(error: Exception) -> str:
    """Why it cannot be used, for operators: in the words of the database, too."""
    said = getattr(error, "orig", None) or (error if isinstance(error, Tellable) else "")
    return f"{trouble_with(error)}: {said}" if said else f"{trouble_with(error)} ({type(error).__name__})"


def trouble_with(error: Exception) -> str:
    """Why it cannot be used, in words that tell nothing of the machine."""
    match error:
        case FileReplaced():
            return "The database's file was removed or replaced"
        case NoHistory():
            return "There is no database"
        case SchemaTooOld() | SchemaUnknown():
            return "The database's tables are of another version"
        case DatabaseSilent():
            return "The database does not answer"
    return why_not(error)

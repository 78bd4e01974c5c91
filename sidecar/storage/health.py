"""How the database is: told once when trouble begins and once when it is over, and counted in between.

Knows whose fault an error is, and its words for operators. Does not know what was to be done.
"""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa
import structlog

from sidecar.storage.engines import only_reads
from sidecar.storage.sqlite_file import FileReplaced
from sidecar.storage.writers import DatabaseSilent
from sidecar.telemetry import Metrics

__all__ = ["Health", "why_not"]

log = structlog.get_logger()

TROUBLE = (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.InterfaceError, DatabaseSilent, FileReplaced)


def why_not(error: BaseException) -> str:
    """Why nothing can be written, in words that tell nothing of the machine."""
    return (
        "The database lets nobody write"
        if only_reads(getattr(error, "orig", None))
        else "The database cannot be written"
    )


class Health:
    """Of one database, as this process meets it."""

    def __init__(self, metrics: Metrics) -> None:
        self._up, self._errors = metrics.database_up, metrics.database_errors
        self._failed = 0
        self._up.set(1)

    @property
    def good(self) -> bool:
        """Whether it did its part the last time."""
        return not self._failed

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Something is written or read, all tries included."""
        try:
            yield
        except TROUBLE as error:
            self._errors.inc()
            self._up.set(0)
            self._failed += 1
            if self._failed == 1:
                log.error("database in trouble", why=str(getattr(error, "orig", error)))
            raise
        else:
            if self._failed:
                log.warning("database is back", failed=self._failed)
                self._failed = 0
                self._up.set(1)

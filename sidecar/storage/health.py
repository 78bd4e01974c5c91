"""How the database is: told once when trouble begins and once when it is over, and counted in between.

Knows whose fault an error is, and its words for operators. Does not know what was to be done.
"""

import contextlib
import time
from collections.abc import Iterator

import sqlalchemy as sa
import structlog

from sidecar.storage.engines import only_reads
from sidecar.storage.sqlite_file import FileReplaced
from sidecar.storage.writers import DatabaseSilent
from sidecar.telemetry import Metrics, already_told

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
    """Of one database, as this process meets it.

    Reading and writing are apart: a server that only reads, or a full disk, answers every question, and one
    who looked at that would say twice a second that all is well.
    """

    def __init__(self, metrics: Metrics, *, logs_trouble: bool) -> None:
        """*logs_trouble*: begin and end are told here, what fails because of it at debug alone."""
        self._logs_trouble = logs_trouble
        self._up, self._errors = metrics.database_up, metrics.database_errors
        self._took = {what: metrics.database_seconds.labels(what).observe for what in ("read", "write")}
        self._failed = {"read": 0, "write": 0}
        self._up.set(1)

    @property
    def good(self) -> bool:
        """Whether it did its part the last time that anything was read, and that anything was written."""
        return not any(self._failed.values())

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Something is read, all tries included."""
        with self._watched("read"):
            yield

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Something is written, all tries included."""
        with self._watched("write"):
            yield

    @contextlib.contextmanager
    def _watched(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except TROUBLE as error:
            self._errors.inc()
            self._up.set(0)
            if self._logs_trouble:
                if self.good:
                    log.error("database in trouble", why=str(getattr(error, "orig", error)))
                already_told(error)
            self._failed[what] += 1
            raise
        else:
            if self._failed[what]:
                self._answered(what)
        finally:
            self._took[what](time.perf_counter() - began)

    def _answered(self, what: str) -> None:
        failed, self._failed[what] = self._failed[what], 0
        if self.good:
            self._up.set(1)
            if self._logs_trouble:
                log.warning("database is back", failed=failed)

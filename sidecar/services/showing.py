"""What people are shown: of the history, of the wikis that are configured now, and of this host.

Knows the words for a database that does not tell. Knows no table.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from sidecar.domain.policy import Policy
from sidecar.domain.remedies import REMEDIES, Kind
from sidecar.services.readiness import trouble_with
from sidecar.services.vitals import PATIENCE, Findings, Watchman
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


class CannotShow(Exception):
    """The database is in trouble; nothing of the history can be shown before that is mended."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why, self.remedy = why, REMEDIES[Kind.DATABASE]


class Showing:
    """Reads for whoever looks in. *started*: since when this program runs."""

    def __init__(
        self,
        database: Database,
        watchman: Watchman,
        policies: Mapping[str, Policy],
        started: datetime,
        patience: float = PATIENCE,
    ) -> None:
        self._db, self.watchman, self._patience = database, watchman, patience
        self.policies, self.started = policies, started
        self._found: asyncio.Future[Findings] | None = None

    def use(self, policies: Mapping[str, Policy]) -> None:
        """These are the wikis from now on."""
        self.policies = policies

    async def findings(self) -> Findings:
        """How it is, also while the database is in trouble. Who asks meanwhile is told the same."""
        if self._found is None or self._found.done():
            self._found = asyncio.ensure_future(self.watchman.look())
        return await asyncio.shield(self._found)

    async def look(self, work: Callable[[sa.Connection], R]) -> R:
        """Raises CannotShow, also if the database keeps silent."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._told(self._db.read(work, onlooker=True))
        except TimeoutError:
            raise CannotShow(f"The database does not answer within {self._patience:g} s") from None

    async def change(self, work: Callable[[sa.Connection], R]) -> R:
        """What an operator does with a page. Raises CannotShow."""
        return await self._told(self._db.write(work))

    @staticmethod
    async def _told(asked: Awaitable[R]) -> R:
        try:
            return await asked
        except TROUBLE as error:
            raise CannotShow(trouble_with(error)) from error

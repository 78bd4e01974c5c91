"""The gauges: how much waits, for a person and for the wikis, and since when.

Knows when to look. Looks rather than counts along, because operators' commands change it too, and other nodes
do; so each node shows the same of what they share, and a restart forgets nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog

from sidecar.services.calls import Calls
from sidecar.services.circuit import Rows
from sidecar.services.readiness import Readiness
from sidecar.storage import actions, aside, brakes, circuits
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics, report

__all__ = ["Gauges"]

log = structlog.get_logger()

EVERY = 15.0  # seconds; what Prometheus is usually told to ask at
NAMED = (
    100  # wikis in trouble that have a series of their own: if it is all of a thousand, it is not the wikis
)


@dataclass(frozen=True)
class Seen:
    """What the history says in one look."""

    aside: int
    tripped: int
    waiting: int
    oldest_due: datetime | None
    last_action: datetime | None
    circuits: Rows


class Gauges:
    def __init__(
        self, database: Database, metrics: Metrics, clock: Callable[[], datetime], calls: Calls
    ) -> None:
        self._db, self._metrics, self._clock, self._calls = database, metrics, clock, calls
        self._named: set[tuple[str, str]] = set()  # wikis that have a series now, with why

    async def run(self) -> None:
        """For ever. A round that fails is logged."""
        while True:
            try:
                await self.round()
            except Exception as error:
                report(log, "gauges failed", error)
            await asyncio.sleep(EVERY)

    async def round(self) -> None:
        """Look once, and where the database was in trouble, whether it is over: nobody else may write."""
        metrics, now = self._metrics, self._clock()
        metrics.wikis.set(self._calls.known)
        seen = await self._db.read(lambda connection: _look(connection, now))
        metrics.set_aside_waiting.set(seen.aside)
        metrics.brakes_tripped.set(seen.tripped)
        metrics.outbox_waiting.set(seen.waiting)
        metrics.oldest_due.set((now - seen.oldest_due).total_seconds() if seen.oldest_due else 0)
        if seen.last_action:
            metrics.last_action.set(seen.last_action.timestamp())
        alone, troubled = self._calls.in_trouble(seen.circuits, now)
        metrics.circuits_open.set(len(alone))
        self._name(sorted(troubled.items())[:NAMED])
        metrics.looked.set(now.timestamp())
        if not self._db.good:
            await Readiness(self._db).why_not()  # whatever it is: the database has told it

    def _name(self, troubled: Iterable[tuple[str, str]]) -> None:
        """A series for each of these; the others go. One that stays is never gone between."""
        named = set(troubled)
        for wiki, why in self._named - named:
            self._metrics.wiki_trouble.remove(wiki, why)
        for wiki, why in named:
            self._metrics.wiki_trouble.labels(wiki, why).set(1)
        self._named = named


def _look(connection: sa.Connection, now: datetime) -> Seen:
    return Seen(
        aside.waiting(connection),
        brakes.tripped(connection),
        actions.waiting(connection),
        actions.oldest_due(connection, now),
        actions.last_done(connection),
        circuits.standing(connection),
    )

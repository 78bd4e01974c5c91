"""The gauges: how much waits, for a person and for the wikis.

Knows when to look. Looks rather than counts along, because operators' commands change it too.
"""

import asyncio

import structlog

from sidecar.services.readiness import Readiness
from sidecar.storage import actions, aside, brakes
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics, report

__all__ = ["Gauges"]

log = structlog.get_logger()

EVERY = 15.0  # seconds; what Prometheus is usually told to ask at


class Gauges:
    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._db, self._metrics = database, metrics

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
        self._metrics.set_aside_waiting.set(await self._db.read(aside.waiting))
        self._metrics.brakes_tripped.set(await self._db.read(brakes.tripped))
        self._metrics.outbox_waiting.set(await self._db.read(actions.waiting))
        if not self._db.good:
            await Readiness(self._db).why_not()  # whatever it is: the database has told it

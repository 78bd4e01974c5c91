"""Housekeeping: drop the mail that nobody needs any more.

Knows for how long raw mail is kept. Does not touch bounces, actions, or what was set aside.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from sidecar.storage import ledger
from sidecar.storage.database import Database
from sidecar.telemetry import report

__all__ = ["Upkeep"]

log = structlog.get_logger()

EVERY = 3600.0  # seconds


class Upkeep:
    def __init__(self, database: Database, keep_mail: timedelta, clock: Callable[[], datetime]) -> None:
        self._db, self._keep_mail, self._clock = database, keep_mail, clock

    async def run(self) -> None:
        """For ever, once an hour. A round that fails is logged."""
        while True:
            try:
                await self.round()
            except Exception as error:
                report(log, "upkeep failed", error)
            await asyncio.sleep(EVERY)

    async def round(self) -> int:
        """Drop raw mail that is older than it is kept; returns how many."""
        before = self._clock() - self._keep_mail
        dropped = await self._db.write(lambda connection: ledger.drop_mail(connection, before))
        if dropped:
            log.info("upkeep", mails_dropped=dropped)
        return dropped

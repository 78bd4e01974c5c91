"""Housekeeping: drop the mail that nobody needs any more.

Knows for how long raw mail is kept, and how long what was set aside waits for a person. Does not touch
bounces or actions.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from sidecar.storage import aside, ledger
from sidecar.storage.database import Database
from sidecar.telemetry import report

__all__ = ["Upkeep"]

log = structlog.get_logger()

EVERY = 3600.0  # seconds


class Upkeep:
    def __init__(
        self, database: Database, keep_mail: timedelta, keep_aside: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._db, self._keep_mail, self._keep_aside, self._clock = database, keep_mail, keep_aside, clock

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
        now = self._clock()
        dropped = await self._db.write(lambda connection: ledger.drop_mail(connection, now - self._keep_mail))
        given_up = await self._db.write(
            lambda connection: aside.drop_older(connection, now - self._keep_aside)
        )
        if dropped:
            log.info("upkeep", mails_dropped=dropped)
        if given_up:
            log.warning("upkeep", set_aside_dropped=given_up, why="nobody has looked within keep_aside_days")
        return dropped + given_up

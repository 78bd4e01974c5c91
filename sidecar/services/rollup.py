"""The sums of each day, made when it is over: so that a year of numbers is read at once.

Knows when a day is over. Whoever of several nodes comes first does it, and it does no harm if two do.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from sidecar.services.rounds import rounds
from sidecar.storage import rates
from sidecar.storage.database import Database

__all__ = ["Rollup"]

EVERY = 3600.0  # seconds
DAY = timedelta(days=1)
AGAIN = 2  # days that are summed anew each hour: a bounce may be committed after its day was summed


class Rollup:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._db, self._clock = database, clock

    async def run(self) -> None:
        """For ever, once an hour. A round that fails is logged."""
        await rounds("rollup failed", self.round, EVERY)

    async def round(self) -> list[date]:
        """Sum the days that are over and were not summed, and the last ones again; returns them."""
        today = self._clock().date()
        first = await self._db.read(rates.first_day)
        if first is None:
            return []
        known = await self._db.read(lambda connection: rates.closed(connection, first, today))
        done = []
        for day in (first + n * DAY for n in range((today - first).days)):
            if day not in known or today - day <= AGAIN * DAY:
                await self._close(day)
                done.append(day)
        return done

    async def _close(self, day: date) -> None:
        sums = await self._db.read(lambda connection: rates.sums(connection, day))
        await self._db.write(lambda connection: rates.close(connection, day, sums))

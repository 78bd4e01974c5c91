"""Housekeeping: let go, by age, what nobody needs any more, a little at a time, so that bookings go on.

Knows for how long each kind of thing is kept, and in which order they go. What is still needed whatever its
age is known to storage/retention.py.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sidecar.services.rounds import rounds
from sidecar.storage import retention, tallies
from sidecar.storage.database import Database
from sidecar.storage.retention import Shelf

__all__ = ["Keep", "Upkeep"]

log = structlog.get_logger()

EVERY = 3600.0  # seconds
BATCH = 200  # rows a transaction: a booking that comes meanwhile waits for one of them
BATCH_OCTETS = 4 * 2**20  # of raw mail a transaction: what is dropped is overwritten, too
SUMS = timedelta(days=400)  # that the numbers of each day are kept: last year's same month, at least
PAUSE = 0.02  # seconds between transactions: other processes, an operator's command, want to write as well


@dataclass(frozen=True)
class Keep:
    """For how long."""

    mail: timedelta  #: raw mail that was understood
    aside: timedelta  #: what is set aside waits for a person
    bounces: timedelta  #: notices, bounces, and the mails that did not come back
    audit: timedelta  #: settled actions and all that is told of them, brakes, tallies


class Upkeep:
    def __init__(self, database: Database, keep: Keep, clock: Callable[[], datetime]) -> None:
        self._db, self._keep, self._clock = database, keep, clock

    async def run(self) -> None:
        """For ever, once an hour. A round that fails is logged."""
        await rounds("upkeep failed", self.round, EVERY)

    async def round(self) -> dict[str, int]:
        """Let go whatever is older than it is kept; how many of each kind, of those that were any."""
        now, keep = self._clock(), self._keep
        numbers = now - max(keep.audit, tallies.LOOKED_AT)
        dropped = {
            shelf.name: number
            for shelf, before in (
                (retention.MAILS, now - keep.mail),
                (retention.ASIDE, now - keep.aside),
                (retention.BOUNCES, now - keep.bounces),  # before what depends on them
                (retention.SENDS, now - keep.bounces),
                (retention.NOTICES, now - keep.bounces),
                (retention.ACTIONS, now - keep.audit),
                (retention.IDENTITIES, now - keep.bounces),
                (retention.ACCOUNTS, now),
                (retention.EVENTS, now - keep.audit),
                (retention.BRAKES, now - keep.audit),
                (retention.TALLIES, numbers),
                (retention.RATES, now - max(keep.audit, SUMS)),
                (retention.CANARIES, now - keep.bounces),
            )
            if (number := await self._clear(shelf, before))
        }
        if dropped:
            await self._db.scrub()
        if given_up := dropped.get(retention.ASIDE.name):
            log.warning("upkeep", set_aside_dropped=given_up, why="nobody has looked within keep_aside_days")
        if told := {f"{name}_dropped": n for name, n in dropped.items() if name != retention.ASIDE.name}:
            log.info("upkeep", **told)
        return dropped

    async def _clear(self, shelf: Shelf, before: datetime) -> int:
        """The search takes no lock; the dropping looks again."""
        dropped = 0
        while keys := await self._db.read(
            lambda connection: retention.find(connection, shelf, before, BATCH, BATCH_OCTETS)
        ):
            went = await self._db.write(
                lambda connection, keys=keys: retention.drop(connection, shelf, keys, before)  # type: ignore[misc]
            )
            dropped += went
            if not went:  # all of them are needed by now; a later round will see
                break
            await asyncio.sleep(PAUSE)
        return dropped

"""The canary: now and then a bounce to ourselves, through the mail server and the real door.

Knows when one is sent, and what is said of those that fail, are late, or do not come back. Whoever of
several nodes comes first sends it. Does not know SMTP: whoever is given hands it over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sidecar.domain import canary
from sidecar.services.posting import CannotSend
from sidecar.services.receipt import Receipt
from sidecar.services.return_path import ReturnPaths
from sidecar.services.rounds import rounds
from sidecar.storage import canaries
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics
from sidecar.threads import Room

__all__ = ["Canaries", "HandOver", "Times", "come_back", "send"]

log = structlog.get_logger()

LOOK = 15.0  # seconds between two looks, at most

HandOver = Callable[[str, bytes], None]  #: a mail to a recipient; blocking; raises CannotSend


@dataclass(frozen=True)
class Times:
    """How often one is sent, when it is late, and when it is lost."""

    every: timedelta
    slow: timedelta
    patience: timedelta

    @property
    def look(self) -> float:
        """Seconds between two looks."""
        return min(LOOK, self.every.total_seconds() / 2, self.patience.total_seconds() / 2)


class Canaries:
    """Sends them, for as long as the daemon lives."""

    def __init__(
        self,
        database: Database,
        return_paths: ReturnPaths,
        node: str,
        hand_over: HandOver,
        times: Times,
        clock: Callable[[], datetime],
        metrics: Metrics | None = None,
    ) -> None:
        self._db, self._paths, self._node = database, return_paths, node
        self._hand_over, self._times, self._clock = hand_over, times, clock
        self._rounds = (metrics or Metrics()).canary_rounds
        self._room = Room("canary")
        self._stopping = asyncio.Event()
        self._told: int | None = None  # the last of ours of which anything was to be told

    def stop(self) -> None:
        """Let ``run`` end once what is being handed over is."""
        self._stopping.set()

    def close(self) -> None:
        """Waits for what is being handed over."""
        self._room.close()

    async def run(self) -> None:
        """Until ``stop``. A round that fails is logged."""
        await rounds("canary failed", self.round, self._times.look, self._stopping)

    async def round(self) -> bool:
        """Send one if it is time, and tell of those that were late or are lost; whether one has left."""
        if self._told is None:  # what was before us is nobody's any more
            self._told = await self._db.read(canaries.last_id)
        await self._tell()
        now = self._clock()
        path = self._paths.verp.issue(*canary.CANARY, self._node, now)
        token, node, every = canary.token_of(path), self._node, self._times.every
        claimed = await self._db.write(lambda connection: canaries.claim(connection, node, token, now, every))
        if claimed is None:
            return False
        mail = canary.compose(path, self._node, now)
        why = await send(self._db, self._room, claimed, lambda: self._hand_over(path, mail))
        if why:
            self._rounds.labels("failed").inc()
            log.error("canary not sent", why=why)
        return not why

    async def _tell(self) -> None:
        after, before = self._told or 0, self._clock() - self._times.patience
        found = await self._db.read(lambda connection: canaries.ended(connection, self._node, after, before))
        for self._told, one in found:
            if not one.returned:
                self._rounds.labels("lost").inc()
                log.error("canary lost", sent=one.sent.isoformat(timespec="seconds"))
            elif one.took > self._times.slow:
                log.warning("canary late", seconds=round(one.took.total_seconds(), 1))


async def send(database: Database, room: Room, canary_id: int, hand_over: Callable[[], None]) -> str:
    """Hand over one that is entered, and enter how that went; why it did not leave, "" if it did."""
    why = ""
    try:
        await room.run(hand_over)
    except CannotSend as error:
        why = str(error)
    await database.write(lambda connection: canaries.settle(connection, canary_id, why))
    return why


async def come_back(database: Database, return_path: str, now: datetime, metrics: Metrics) -> Receipt:
    """One came to a door: it is no notice, and nothing but its return is booked. Counts once."""
    token = canary.token_of(return_path)
    found = await database.write(lambda connection: canaries.returned(connection, token, now))
    if found is None:
        return Receipt.DUPLICATE
    metrics.canary_rounds.labels("returned").inc()
    metrics.canary_seconds.set(found.took.total_seconds())
    return Receipt.TAKEN

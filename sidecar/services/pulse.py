"""The pulse: a node says that it lives, and how many mails it has signed, every fifteen seconds.

Knows when. Whoever stops in good order says so, too; whoever is killed is missed. What was signed in the last
seconds before that is not counted.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.vitals import NodeSign
from sidecar.services.rounds import rounds
from sidecar.services.vitals import HostSigns
from sidecar.services.watched import Watched
from sidecar.storage import nodes, rates
from sidecar.storage.database import Database

__all__ = ["Myself", "Pulse"]

EVERY = 15.0  # seconds
GONE = timedelta(days=7)  # after which nobody misses a node that is not seen


@dataclass(frozen=True)
class Myself:
    """What a node is called, and what it is."""

    name: str
    roles: str
    version: str


class Pulse:
    def __init__(self, database: Database, myself: Myself, host: HostSigns, watched: Watched) -> None:
        self._db, self._myself, self._host, self._watched = database, myself, host, watched
        self._started = host.clock()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until ``stop``, and then once more. A beat that fails is logged."""
        await rounds("pulse failed", self.beat, EVERY, self._stop)
        with contextlib.suppress(Exception):  # nobody's concern any more: it will be missed
            await self.beat(last=True)

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stop.set()

    async def beat(self, *, last: bool = False) -> None:
        """Say it once; *last*: and that nobody should wait for the next."""
        watched, now = self._watched, self._host.clock()
        sign = self._sign(now, watched.last, now if last else None)
        numbers = dict(watched.numbers)
        await self._db.write(lambda connection: self._write(connection, sign, numbers))
        for key, number in numbers.items():
            watched.numbers[key] -= number
            if not watched.numbers[key]:
                del watched.numbers[key]

    def _sign(self, now: datetime, signed: datetime | None, stopped: datetime | None) -> NodeSign:
        me, host = self._myself, self._host
        return NodeSign(
            me.name,
            me.roles,
            me.version,
            self._started,
            now,
            stopped,
            signed,
            host.synchronised(),
            host.free(),
        )

    @staticmethod
    def _write(connection: sa.Connection, sign: NodeSign, numbers: dict[tuple[str, date], int]) -> None:
        nodes.put(connection, sign)
        nodes.forget(connection, sign.seen - GONE)
        rates.add_signed(connection, sign.name, numbers)

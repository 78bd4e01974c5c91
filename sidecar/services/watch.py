"""Watch users with an open streak: note which mails are signed for them, so that it shows what arrived.

Knows who is watched, in memory, and writes the sends beside the way of the mail. What is lost (the process is
killed within a second, the database is down for long) is a proof that mail arrives, and nothing else.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice

import structlog

from sidecar.domain.policy import Policy, Streak
from sidecar.domain.verp import Verp
from sidecar.storage import sends, streaks
from sidecar.storage.database import Database
from sidecar.storage.sends import Send
from sidecar.telemetry import Metrics, report

__all__ = ["Watch", "Watched"]

log = structlog.get_logger()

ROOM = 10_000  # sends that wait to be written; some 4 MB
BATCH = 500  # sends in one transaction: it takes some 50 ms, and bounces wait for it
FLUSH = 1.0  # seconds between looks at what was signed
LOOK = timedelta(seconds=5)  # between looks at what other nodes have booked
SLACK = timedelta(seconds=15)  # by which nodes' clocks, and commits, may differ
ANEW = timedelta(days=1)  # between looks at the whole history: streaks that are forgotten by then
LEAST = Streak().forget  # that failures are remembered: the policy may be another one tomorrow
PAUSE = 10.0  # seconds after the database was in trouble
STALE = 1000  # rows that are looked for at a time


class Watched:
    """Whose mails are noted; the part that is on the way of each mail."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.users: dict[str, set[int]] = {}
        #: what signed, the return path, and when: another key, or none for that wiki, may sign by now
        self.signings: deque[tuple[Verp, str, datetime]] = deque()
        self.lost = (metrics or Metrics()).sends.labels("lost")

    def signed(self, wiki: str, user_id: int, verp: Verp, return_path: str, now: datetime) -> None:
        """A return path was handed out; neither blocks nor waits."""
        if user_id in self.users.get(wiki, ()):
            if len(self.signings) < ROOM:
                self.signings.append((verp, return_path, now))
            else:
                self.lost.inc()


class Watch:
    """Feeds the watched users from the history, and the history from their sends."""

    def __init__(
        self,
        database: Database,
        policies: Mapping[str, Policy],
        verp: Verp,
        clock: Callable[[], datetime],
        metrics: Metrics | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        self._db, self._policies, self._verp, self._clock = database, policies, verp, clock
        self._noted, self._size = metrics.sends.labels("noted"), metrics.watched_users
        self.watched = Watched(metrics)
        self._loaded = self._looked = clock()
        self._mark = streaks.Mark(0, 0, clock())
        self._stop = asyncio.Event()

    def add(self, wiki: str, user_id: int) -> None:
        """A failure that counts, or may turn out to, was booked here; after the commit."""
        self.watched.users.setdefault(wiki, set()).add(user_id)

    def use(self, policies: Mapping[str, Policy], verp: Verp) -> None:
        """Watch by these from now on; if they look further back, everybody is looked up anew."""
        before = self._memory()
        self._policies, self._verp = policies, verp
        if self._memory() > before:
            self._loaded -= ANEW

    async def load(self) -> None:
        """Look at the whole history: at the start, and now and then for streaks that are over."""
        now = self._clock()
        mark = await self._db.read(lambda connection: streaks.mark(connection, now - SLACK))
        since = self._since(now)
        self.watched.users = await self._db.read(lambda connection: streaks.all_open(connection, since))
        self._mark, self._loaded = mark, now  # what was booked meanwhile is seen at the next look
        self._count()

    async def look(self) -> None:
        """Who was touched by any node since the last look?"""
        now, seen = self._clock(), self._mark
        mark = await self._db.read(lambda connection: streaks.mark(connection, now - SLACK))
        users = await self._db.read(lambda connection: streaks.touched(connection, seen))
        since = self._since(now)
        still = await self._db.read(lambda connection: streaks.open_among(connection, users, since))
        for wiki, user_id in users:
            if (wiki, user_id) in still:
                self.add(wiki, user_id)
            else:
                self.watched.users.get(wiki, set()).discard(user_id)
        self._mark, self._looked = mark, now
        self._count()

    async def flush(self) -> int:
        """Write what was signed; returns how much. What cannot be written waits."""
        written = 0
        while signings := list(islice(self.watched.signings, BATCH)):
            mails = [_send(*signing) for signing in signings]
            await self._db.write(lambda connection, mails=mails: sends.note(connection, mails))  # type: ignore[misc]
            for _ in signings:
                self.watched.signings.popleft()
            self._noted.inc(len(signings))
            written += len(signings)
        return written

    async def tidy(self) -> int:
        """Drop sends that no decision needs any more; returns how many."""
        now, dropped = self._clock(), 0
        settled_by, open_since = now - max(self._verp.accept, self._settle()), self._since(now)
        while stale := await self._db.read(
            lambda connection: sends.stale(connection, settled_by, open_since, STALE)
        ):
            await self._db.write(lambda connection, stale=stale: sends.drop(connection, stale))  # type: ignore[misc]
            dropped += len(stale)
        return dropped

    async def run(self) -> None:
        """Until ``stop``, and then once more. What fails is logged and tried again."""
        last = self._clock() - ANEW
        while not self._stop.is_set():
            pause = FLUSH
            try:
                last = await self._round(last)
            except Exception as error:
                report(log, "watch failed", error, waiting=len(self.watched.signings))
                pause = PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
        with contextlib.suppress(Exception):
            await self.flush()

    def stop(self) -> None:
        """Let ``run`` end; the last sends are written."""
        self._stop.set()

    async def _round(self, tidied: datetime) -> datetime:
        await self.flush()
        now = self._clock()
        if _is_time(self._loaded, ANEW, now):
            await self.load()
        if _is_time(self._looked, LOOK, now):
            await self.look()
        if _is_time(tidied, ANEW, now):
            await self.tidy()
            return now
        return tidied

    def _since(self, now: datetime) -> datetime:
        return now - self._memory()

    def _memory(self) -> timedelta:
        return max([LEAST, *(policy.memory for policy in self._policies.values())])

    def _settle(self) -> timedelta:
        return max((policy.settle for policy in self._policies.values()), default=timedelta(0))

    def _count(self) -> None:
        self._size.set(sum(map(len, self.watched.users.values())))


def _send(verp: Verp, return_path: str, at: datetime) -> Send:
    token = verp.recognise(return_path, at)
    return Send(token.wiki, token.user_id, token.sent, token.tag, token.key_id)


def _is_time(last: datetime, every: timedelta, now: datetime) -> bool:
    """Whether to do again what was done at *last*; also if the clock has jumped back since."""
    return not timedelta(0) <= now - last < every

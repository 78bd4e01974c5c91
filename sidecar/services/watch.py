"""Watch users with an open streak: note which mails are signed for them, so that it shows what arrived.

Knows who is watched, in memory, and writes the sends beside the way of the mail. What is lost (the process is
killed within a second, the database is down for long) is a proof that mail arrives, and nothing else.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sidecar.domain.numbers import Numbers
from sidecar.domain.policy import Policy, Streak
from sidecar.domain.send import Send
from sidecar.domain.verp import Verp
from sidecar.services.beat import Beat, hand_over
from sidecar.services.watched import Signing, Watched
from sidecar.storage import sends, streaks
from sidecar.storage.database import Database
from sidecar.storage.streaks import User
from sidecar.telemetry import Metrics

__all__ = ["Watch"]


BATCH = 500  # sends in one transaction: it takes some 50 ms, and bounces wait for it
LOOK = timedelta(seconds=5)  # between looks at what other nodes have booked
SLACK = timedelta(minutes=1)  # by which nodes' clocks may differ, and a commit be late after its mail
ANEW = timedelta(days=1)  # between looks at the whole history: streaks that are forgotten by then
LEAST = Streak().forget  # that failures are remembered: the policy may be another one tomorrow
STALE = 1000  # rows that are looked for at a time


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
        self._added: set[User] = set()  # since the last look began: it may not have seen them
        self._alone: set[User] = set()  # watched, and perhaps their siblings are not
        self._tidied = clock() - ANEW
        self._beat = Beat("watch failed", self.watched.signings)

    def add(self, wiki: str, user_id: int) -> None:
        """A failure that counts, or may turn out to, was booked here; after the commit."""
        self.watched.watch(wiki, user_id)
        self._added.add((wiki, user_id))
        self._alone.add((wiki, user_id))

    def use(self, policies: Mapping[str, Policy], verp: Verp) -> None:
        """Watch by these from now on; if they look further back, everybody is looked up anew."""
        before = self._memory()
        self._policies, self._verp = policies, verp
        if self._memory() > before:
            self._loaded -= ANEW

    async def load(self) -> None:
        """Look at the whole history: at the start, and now and then for streaks that are over."""
        now = self._clock()
        self._added.clear()
        mark = await self._db.read(lambda connection: streaks.mark(connection, now - SLACK))
        since = self._since(now)
        users = await self._db.read(lambda connection: streaks.all_open(connection, since))
        for wiki, user_id in self._added:
            users.setdefault(wiki, Numbers()).add(user_id)
        self.watched.watch_all(users)
        self._mark, self._loaded = mark, now  # what was booked meanwhile is seen at the next look
        self._count()

    async def look(self) -> None:
        """Who was touched by any node since the last look?"""
        now, seen = self._clock(), self._mark
        self._added.clear()
        since = self._since(now)
        mark = await self._db.read(lambda connection: streaks.mark(connection, now - SLACK))
        touched = await self._db.read(lambda connection: streaks.touched(connection, seen, since))
        # Who fails and is watched, siblings and all, goes on being watched: those are nearly all, in a storm.
        asked = touched.others | {
            user for user in touched.failing if user in self._alone or not self._is_watched(user)
        }
        standing = await self._db.read(
            lambda connection: streaks.who_is_open(connection, asked, touched.failing, since)
        )
        for (wiki, user_id), is_open in standing.items():
            if is_open or (wiki, user_id) not in self._added:
                self.watched.watch(wiki, user_id, watched=is_open)
        self._alone -= standing.keys()
        self._mark, self._looked = mark, now
        self._count()

    def _is_watched(self, user: User) -> bool:
        wiki, user_id = user
        return user_id in self.watched.users.get(wiki, ())

    async def flush(self) -> int:
        """Write what was signed; returns how much. What cannot be written waits."""
        own = await hand_over(self.watched.signings, BATCH, self._note_own)
        return own + await hand_over(self.watched.told, BATCH, self._note)

    async def _note_own(self, signings: list[Signing]) -> None:
        await self._note([signing.send() for signing in signings])

    async def _note(self, mails: list[Send]) -> None:
        await self._db.write(lambda connection: sends.note(connection, mails))
        self._noted.inc(len(mails))

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
        await self._beat.run(self._round, self.flush)

    def stop(self) -> None:
        """Let ``run`` end; the last sends are written."""
        self._beat.stop()

    async def _round(self) -> None:
        await self.flush()
        now = self._clock()
        if _is_time(self._loaded, ANEW, now):
            await self.load()
        if _is_time(self._looked, LOOK, now):
            await self.look()
        if _is_time(self._tidied, ANEW, now):
            await self.tidy()
            self._tidied = now

    def _since(self, now: datetime) -> datetime:
        return now - self._memory()

    def _memory(self) -> timedelta:
        return max([LEAST, *(policy.memory for policy in self._policies.values())])

    def _settle(self) -> timedelta:
        return max((policy.settle for policy in self._policies.values()), default=timedelta(0))

    def _count(self) -> None:
        self._size.set(sum(map(len, self.watched.users.values())))


def _is_time(last: datetime, every: timedelta, now: datetime) -> bool:
    """Whether to do again what was done at *last*; also if the clock has jumped back since."""
    return not timedelta(0) <= now - last < every

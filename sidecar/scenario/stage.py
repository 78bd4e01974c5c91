"""The stage of a story: the real services over a database in memory, and a clock that only the story moves.

Knows how they are put together, and that what falls due is paid when it falls due. Does not know any story.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.configuration.config import ACCEPT
from sidecar.configuration.settings import StorageSection
from sidecar.domain.brake import Limits
from sidecar.domain.person import Person
from sidecar.domain.policy import Policy
from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.domain.wiki import Action, Outcome, Wiki, WikiUnavailable
from sidecar.edges.rule_files import built_in
from sidecar.scenario.script import Mood
from sidecar.services.decision import central_wikis
from sidecar.services.dispatch import Dispatcher
from sidecar.services.identity import Identities
from sidecar.services.intake import BounceIntake
from sidecar.services.lines import Lines, Way
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.services.upkeep import Keep, Upkeep
from sidecar.services.watch import Watch
from sidecar.storage import outbox, people
from sidecar.storage.database import Database
from wiki_adapter.practice_central import PracticeCentral
from wiki_adapter.practice_port import PracticePort
from wiki_adapter.practice_users import PracticeUsers

__all__ = ["Stage", "StoryClock"]

SLOWNESS = timedelta(seconds=30)
AGAIN = timedelta(minutes=1)  # a wiki that is left alone for a while is looked at again
DAY = timedelta(days=1)
USUAL = StorageSection()
KEEP = Keep(
    mail=USUAL.keep_mail_days * DAY,
    aside=USUAL.keep_aside_days * DAY,
    bounces=USUAL.keep_bounces_days * DAY,
    audit=USUAL.keep_audit_days * DAY,
)


@dataclass
class StoryClock:
    """The time of the story, and that of the sidecar, whose clock may be wrong."""

    time: datetime
    wrong: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        """The sidecar's."""
        return self.time + self.wrong

    def forward(self, time: datetime) -> None:
        """It is *time*, or later."""
        self.time = max(self.time, time)


class _Door:
    """The way to the practice wiki, which may be closed or take its time."""

    def __init__(self, wiki: Wiki, clock: StoryClock) -> None:
        self._wiki, self._clock = wiki, clock
        self.mood = Mood.UP

    def close(self) -> None:
        self._wiki.close()

    def perform(self, action: Action) -> Outcome:
        if self.mood is Mood.DOWN:
            raise WikiUnavailable("the wiki is down")
        if self.mood is Mood.SLOW:
            self._clock.time += SLOWNESS
        outcome = self._wiki.perform(action)
        if self.mood is Mood.DEAF:
            raise WikiUnavailable("the answer was lost")
        return outcome

    def identify(self, user_id: int) -> Person:
        if self.mood is not Mood.UP:
            raise WikiUnavailable("the wiki is down")
        return self._wiki.identify(user_id)


@dataclass
class Stage:
    """Made by ``open``; ``close`` it."""

    clock: StoryClock
    policies: Mapping[str, Policy]
    limits: Limits
    keys: list[bytes] = field(default_factory=lambda: [_key(0)])
    keys_made: int = 1
    receipts: Counter[Receipt] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.database = Database("sqlite://")
        self.central = PracticeCentral()
        self.users = {wiki: PracticeUsers() for wiki in self.policies}
        self.doors = {wiki: self._door(wiki) for wiki in self.policies}
        self._due: datetime | None = None  # when something may fall due next, by the sidecar's clock
        self._rung = False  # something was enqueued since
        self._tidied = self.clock.time
        self._compose()

    def _door(self, wiki: str) -> "_Door":
        users = self.users[wiki]
        self.central.add_wiki(wiki, users)
        port = PracticePort(users, lambda: self.clock.time, wiki_id=wiki, central=self.central)
        return _Door(port, self.clock)

    def _way(self, wiki: str) -> Way:
        return Way(lambda: self.doors[wiki], f"the story's own, to {wiki}")

    async def open(self) -> None:
        await self.database.open()
        await self.watch.load()

    async def close(self) -> None:
        self._end()
        await self.database.close()

    async def restart(self) -> None:
        """The daemon ends and begins again; what it knows is in the database."""
        await self.watch.flush()
        self._end()
        self._compose()
        await self.watch.load()
        self.look_again()

    def rotate_key(self) -> None:
        """A new key signs from the next restart on."""
        self.keys.insert(0, _key(self.keys_made))
        self.keys_made += 1

    def _compose(self) -> None:
        policies, clock, database = self.policies, self.clock, self.database
        form = SidecarFormat("wiki", "bounces.example.org", Keyring(tuple(self.keys)))
        verp = Verp((form,), list(policies), accept=ACCEPT)
        ways = {wiki: self._way(wiki) for wiki in policies}
        self.dispatcher = Dispatcher(database, Lines(ways), policies, clock, jitter=lambda: 0.0)
        self.identities = Identities(
            database, self.dispatcher.calls, policies, self.limits, clock, self.look_again
        )
        self.watch = Watch(database, policies, verp, clock)
        self.return_paths = ReturnPaths(verp, clock, watched=self.watch.watched)
        self.intake = BounceIntake(
            database,
            self.return_paths,
            built_in(),
            policies,
            clock,
            self.look_again,
            limits=self.limits,
            failed=self.watch.add,
        )
        self.upkeep = Upkeep(database, KEEP, clock)

    def _end(self) -> None:
        self.intake.close()
        self.dispatcher.close()

    async def take(self, return_path: str, raw: bytes) -> Receipt:
        """A mail is delivered."""
        receipt = await self.intake.take(Received(return_path, "", raw))
        self.receipts[receipt] += 1
        return receipt

    async def at(self, time: datetime) -> None:
        """Let it become *time*: what falls due until then is paid, and the sends are noted."""
        await self.watch.flush()
        await self._look()
        if self._rung:
            self._due, self._rung = await self._next_due(), False
        while self._due is not None and max(self._due, self.clock()) <= time + self.clock.wrong:
            self.clock.forward(self._due - self.clock.wrong)
            await self._look()
            while await self.dispatcher.step():
                pass
            due = await self._next_due()
            self._due = max(due, self.clock() + AGAIN) if due else None
        self.clock.forward(time)
        if not timedelta(0) <= self.clock() - self._tidied < DAY:
            await self.upkeep.round()
            await self.watch.load()
            await self.watch.tidy()
            self._tidied = self.clock()

    async def _next_due(self) -> datetime | None:
        """When something falls due, or a wiki is to be asked whose an account is."""
        now, central = self.clock(), central_wikis(self.policies)

        def times(connection: sa.Connection) -> tuple[datetime | None, datetime | None]:
            return outbox.next_due(connection, now, central), people.next_due(connection)

        return min(filter(None, await self.database.read(times)), default=None)

    async def _look(self) -> None:
        """Ask the wikis whose accounts failed, and watch those that belong to them."""
        while await self.identities.step():
            await self.watch.look()

    def look_again(self) -> None:
        """Something may be due now."""
        self._rung = True


def _key(number: int) -> bytes:
    return hashlib.sha256(f"key {number} of every story".encode()).digest()

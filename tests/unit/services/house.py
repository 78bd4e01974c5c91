"""The services together: a real history, real mails, a clock that only the test moves, a wiki of our own."""

import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sidecar.domain.brake import Limits
from sidecar.domain.person import LOCAL, Person
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.trouble import Tolerance
from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.domain.wiki import (
    Action,
    Effect,
    Mistyped,
    Outcome,
    Restore,
    Unconfirm,
    Warn,
    WikiRefused,
)
from sidecar.edges.rule_files import built_in
from sidecar.services.dispatch import Dispatcher
from sidecar.services.intake import BounceIntake
from sidecar.services.lines import Lines, Way
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.services.watch import Watch
from sidecar.storage import actions, ledger
from sidecar.storage.actions import Entry, State
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WIKIS = ("enwiki", "dewiki")
BOUNCES = Path(__file__).parents[3] / "fixtures" / "bounces"
RULES = built_in()
AT_ONCE = Limits(delay=timedelta(0))  # nobody waits for a brake


@dataclass(frozen=True)
class Mail:
    """A notice that a real server wrote, and the address that it is about."""

    raw: bytes
    recipient: str

    @classmethod
    def of(cls, case: str, mta: str = "postfix") -> "Mail":
        [path] = (BOUNCES / mta).glob(f"[0-9][0-9]-{case}.eml")
        return cls(path.read_bytes(), tomllib.loads(path.with_suffix(".toml").read_text())["recipient"])

    def about(self, recipient: str) -> "Mail":
        """The same, had it been written to another address."""
        return Mail(self.raw.replace(self.recipient.encode(), recipient.encode()), recipient)


HARD = Mail.of("no-such-user")
SOFT = Mail.of("mailbox-full")


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class VillageWiki:
    """A wiki of two hundred users that keeps the promise of the port. It meets its *troubles* first.

    What is in *lost* is raised after the act: the answer never arrives.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: T0) -> None:
        self.clock = clock
        self.confirmed: dict[int, datetime | None] = dict.fromkeys(range(200), T0 - 300 * DAY)
        self.addresses: dict[int, str] = {}  # the wiki's keyed hashes; "f" * 64 if not named
        self.groups: dict[int, set[str]] = {}
        self.asked: dict[int, datetime] = {}  # when the last mail that asks for a confirmation was sent
        self.warned: dict[int, datetime] = {}
        self.told: list[tuple[str, int]] = []  # what users were told, and who
        self.acts: list[tuple[datetime, Unconfirm]] = []  # addresses that were un-confirmed, and when
        self.undone: dict[int, Outcome] = {}  # what the answers to those were
        self.people: dict[int, Person] = {}  # to whom each account belongs centrally
        self.identified: list[int] = []  # of whom that was asked
        self.troubles: list[Exception] = []
        self.lost: list[Exception] = []
        self.calls: list[Action] = []
        self.closed = 0  # times that the line to it was let go
        self.called = threading.Event()
        self.gate = threading.Event()  # closed by a test that wants a call to last
        self.gate.set()

    def perform(self, action: Action) -> Outcome:
        self.calls.append(action)
        self.called.set()
        assert self.gate.wait(20)
        if self.troubles:
            raise self.troubles.pop(0)
        if action.user_id not in self.confirmed:
            raise WikiRefused("there is no such user")
        outcome = self._act(action)
        if self.lost:
            raise self.lost.pop(0)
        return outcome

    def identify(self, user_id: int) -> Person:
        """Told by the test."""
        self.identified.append(user_id)
        self.called.set()
        assert self.gate.wait(20)
        if self.troubles:
            raise self.troubles.pop(0)
        return self.people.get(user_id, LOCAL)

    def _act(self, action: Action) -> Outcome:
        match action:
            case Restore():
                return self._restore(action)
            case Mistyped():
                return self._mistyped(action)
        user, confirmed_at = action.user_id, self.confirmed[action.user_id]
        if protected := sorted(action.protect & self.groups.get(user, set())):
            return Outcome(Effect.PROTECTED, group=protected[0])
        if confirmed_at is None:
            before = self.undone.get(user, Outcome(Effect.ALREADY))
            return replace(before, effect=Effect.ALREADY)
        if confirmed_at >= action.confirmed_before:
            return Outcome(Effect.CHANGED, confirmed_at)
        if isinstance(action, Warn):
            if self.warned.get(user, action.confirmed_before) <= action.confirmed_before:
                self.warned[user] = self.clock()
                self.told.append(("warned", user))
            return Outcome(Effect.WARNED)
        self.confirmed[user] = None
        self.acts.append((self.clock(), action))
        if action.announce:
            self.told.append(("un-confirmed", user))
        self.undone[user] = Outcome(Effect.UNCONFIRMED, confirmed_at, self.addresses.get(user, "f" * 64))
        return self.undone[user]

    def _restore(self, action: Restore) -> Outcome:
        user = action.user_id
        if self.confirmed[user] == action.confirmed_at:
            return Outcome(Effect.ALREADY)
        if self.confirmed[user] or self.addresses.get(user, "f" * 64) != action.fingerprint:
            return Outcome(Effect.CHANGED, self.confirmed[user])
        self.confirmed[user] = action.confirmed_at
        return Outcome(Effect.RESTORED)

    def _mistyped(self, action: Mistyped) -> Outcome:
        user = action.user_id
        if confirmed_at := self.confirmed[user]:
            return Outcome(Effect.CHANGED, confirmed_at)
        if self.asked.get(user, action.sent) > action.sent:
            return Outcome(Effect.CHANGED)
        if ("mistyped", user) not in self.told:
            self.told.append(("mistyped", user))
        return Outcome(Effect.WARNED)

    def close(self) -> None:
        self.closed += 1

    def confirm(self, user_id: int) -> None:
        """The user confirms (again), now."""
        self.confirmed[user_id] = self.clock()
        self.undone.pop(user_id, None)


class House:
    """The composition, without doors and without loops."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, Clock()
        self.policies = {wiki: Policy(Streak(), Mode.ENFORCE) for wiki in WIKIS}
        self.wikis = {wiki: VillageWiki(self.clock) for wiki in WIKIS}
        self.wiki = self.wikis["enwiki"]
        self.verp = self.signer(*WIKIS)
        self.owed: list[str] = []
        self.metrics, self.limits = Metrics(), AT_ONCE
        self.watch = self.watching(database)
        self.paths = ReturnPaths(self.verp, self.clock, self.metrics, watched=self.watch.watched)
        self.intake = self.taking(*WIKIS)
        self.dispatcher = self.dispatching(database)

    def taking(self, *wikis: str) -> BounceIntake:
        """An intake that knows these wikis."""
        paths = ReturnPaths(self.signer(*wikis), self.clock, self.metrics)
        rang = partial(self.owed.append, "ring")
        return BounceIntake(
            self.database,
            paths,
            RULES,
            self.policies,
            self.clock,
            rang,
            self.metrics,
            failed=self.watch.add,
            limits=self.limits,
        )

    def watching(self, database: Database) -> Watch:
        """A node's watch over users with an open streak."""
        return Watch(database, self.policies, self.verp, self.clock, self.metrics)

    @staticmethod
    def signer(*wikis: str, key: bytes = b"k" * 32) -> Verp:
        return Verp((SidecarFormat("wiki", "bounces.example.org", Keyring((key,))),), wikis, accept=10 * DAY)

    def dispatching(self, database: Database) -> Dispatcher:
        lines, clock = self.lines(), self.clock
        return Dispatcher(database, lines, self.policies, clock, lambda: 0.0, metrics=self.metrics)

    def watchman(self, tolerance: Tolerance | None = None) -> Watchman:
        """Who looks how it is; the host is well."""
        host = HostSigns(self.clock, lambda: None, lambda: True)
        return Watchman(self.database, host, self.dispatcher.calls.logins, tolerance or Tolerance())

    def lines(self) -> Lines:
        return Lines(self.ways(*self.wikis))

    def ways(self, *wikis: str) -> dict[str, Way]:
        """To these wikis of the house, each with a login of its own."""
        return {wiki: Way(partial(self.wikis.__getitem__, wiki), f"of-{wiki}") for wiki in wikis}

    def counted(self, name: str, **labels: str) -> float:
        """A metric as Prometheus would read it; 0 if it was never counted."""
        return self.metrics.registry.get_sample_value(f"bounce_sidecar_{name}", labels) or 0

    def path(self, user_id: int = 7, address: str = HARD.recipient, wiki: str = "enwiki") -> str:
        """The return path of a mail that is sent now."""
        return self.paths.issue(wiki, user_id, address)

    async def pay(self) -> int:
        """Steps until nothing is due."""
        steps = 0
        while await self.dispatcher.step():
            steps += 1
        return steps

    async def take(self, raw: bytes, path: str) -> Receipt:
        return await self.intake.take(Received(path, "", raw))

    async def bounce(self, mail: Mail = HARD, user_id: int = 7, wiki: str = "enwiki") -> Receipt:
        """A mail is sent, and comes back at once."""
        return await self.take(mail.raw, self.path(user_id, mail.recipient, wiki))

    async def fail_for_eight_days(self, *users: int, wiki: str = "enwiki", mail: Mail = HARD) -> None:
        """Three bounces for each, four days apart; what the specification's rule asks for."""
        for days in (0, 4, 4):
            self.clock.tick(days=days)
            for user_id in users or (7,):
                assert await self.bounce(mail, user_id, wiki) is Receipt.TAKEN

    async def actions(self, *states: State) -> list[Entry]:
        return await self.database.read(lambda connection: actions.entries(connection, *states))

    async def states(self) -> list[tuple[int, str, str]]:
        return [(entry.user_id, entry.state, entry.effect) for entry in await self.actions()]

    async def history(self, user_id: int = 7, wiki: str = "enwiki") -> list[tuple[str, bool]]:
        found = await self.database.read(lambda connection: ledger.of_user(connection, wiki, user_id))
        return [(bounce.category, bounce.hard) for bounce in found]

    def close(self) -> None:
        for wiki in self.wikis.values():
            wiki.gate.set()
        self.intake.close()
        self.dispatcher.close()

"""The services together: a real history, real mails, a clock that only the test moves, a wiki of our own."""

import threading
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.domain.wiki import Action, Effect, Outcome, WikiRefused
from sidecar.edges.rule_files import built_in
from sidecar.services.dispatch import Dispatcher
from sidecar.services.intake import BounceIntake
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage import ledger, outbox
from sidecar.storage.database import Database
from sidecar.storage.outbox import Entry, State
from sidecar.telemetry import Metrics

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WIKIS = ("enwiki", "dewiki")
BOUNCES = Path(__file__).parents[3] / "fixtures" / "bounces"
RULES = built_in()


@dataclass(frozen=True)
class Mail:
    """A notice that a real server wrote, and the address that it is about."""

    raw: bytes
    recipient: str

    @classmethod
    def of(cls, case: str, mta: str = "postfix") -> "Mail":
        [path] = (BOUNCES / mta).glob(f"[0-9][0-9]-{case}.eml")
        return cls(path.read_bytes(), tomllib.loads(path.with_suffix(".toml").read_text())["recipient"])


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
    """A wiki of a hundred users that keeps the promise of the port. It meets its *troubles* first."""

    def __init__(self) -> None:
        self.confirmed: dict[int, datetime | None] = dict.fromkeys(range(100), T0 - 300 * DAY)
        self.troubles: list[Exception] = []
        self.calls: list[Action] = []
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
        confirmed_at = self.confirmed[action.user_id]
        if confirmed_at is None:
            return Outcome(Effect.ALREADY)
        if confirmed_at >= action.confirmed_before:
            return Outcome(Effect.CHANGED, confirmed_at)
        self.confirmed[action.user_id] = None
        return Outcome(Effect.UNCONFIRMED, confirmed_at, "f" * 64)


class House:
    """The composition, without doors and without loops."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, Clock()
        self.policies = {wiki: Policy(Streak(), Mode.ENFORCE) for wiki in WIKIS}
        self.wikis = {wiki: VillageWiki() for wiki in WIKIS}
        self.wiki = self.wikis["enwiki"]
        self.verp = self.signer(*WIKIS)
        self.owed: list[str] = []
        self.metrics = Metrics()
        self.paths = ReturnPaths(self.verp, self.clock, self.metrics)
        self.intake = self.taking(*WIKIS)
        self.dispatcher = self.dispatching(database)

    def taking(self, *wikis: str) -> BounceIntake:
        """An intake that knows these wikis."""
        paths = ReturnPaths(self.signer(*wikis), self.clock, self.metrics)
        rang = partial(self.owed.append, "ring")
        return BounceIntake(self.database, paths, RULES, self.policies, self.clock, rang, self.metrics)

    @staticmethod
    def signer(*wikis: str, key: bytes = b"k" * 32) -> Verp:
        return Verp((SidecarFormat("wiki", "bounces.example.org", Keyring((key,))),), wikis, accept=10 * DAY)

    def dispatching(self, database: Database) -> Dispatcher:
        return Dispatcher(database, self.wikis, self.policies, self.clock, lambda: 0.0, metrics=self.metrics)

    def counted(self, name: str, **labels: str) -> float:
        """A metric as Prometheus would read it; 0 if it was never counted."""
        return self.metrics.registry.get_sample_value(f"bounce_sidecar_{name}", labels) or 0

    def path(self, user_id: int = 7, address: str = HARD.recipient, wiki: str = "enwiki") -> str:
        """The return path of a mail that is sent now."""
        return self.verp.issue(wiki, user_id, address, self.clock())

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
        return await self.database.read(lambda connection: outbox.entries(connection, *states))

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

"""Take in one notice: read it, judge it, book it, and owe the wiki what follows, all or nothing.

The receipt is a promise: TAKEN, DUPLICATE and SET_ASIDE mean that the facts are on disk. If they cannot be
put there, the exception goes up and the door answers "try again": the MTA's queue is our spool.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Self

import sqlalchemy as sa
import structlog

from sidecar.domain import verp
from sidecar.domain.brake import Limits
from sidecar.domain.canary import CANARY
from sidecar.domain.classify import HARD_CAPABLE, Category, RuleBook
from sidecar.domain.person import Account
from sidecar.domain.policy import Policy
from sidecar.services.brakes import Tripped, look_at_failures
from sidecar.services.canary import come_back
from sidecar.services.decision import Owing, consider, mistyped
from sidecar.services.readers import Readers
from sidecar.services.reading import Reader, Understood, categories
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage import accounts, aside, ledger, people, tallies
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics

__all__ = ["BounceIntake", "Reread"]

log = structlog.get_logger()


@dataclass(frozen=True)
class Booked:
    """What became of it."""

    receipt: Receipt
    notice_id: int | None = None  #: of a duplicate, that of the mail which was taken before
    bounce_id: int | None = None  #: None if there is none, or it says nothing new
    owing: Owing = field(default_factory=Owing)

    @property
    def counted(self) -> bool:
        """A bounce was entered, or said more than the one that was there."""
        return self.bounce_id is not None

    @property
    def ids(self) -> dict[str, int]:
        """By which the log, `history`, `why`, `outbox` and `aside` speak of it."""
        ids = {"notice": self.notice_id, "bounce": self.bounce_id, "action": self.owing.action_id}
        return {name: number for name, number in ids.items() if number is not None}


@dataclass(frozen=True)
class Reread:
    """What became of a mail that was set aside."""

    receipt: Receipt  #: TAKEN: it is understood now; SET_ASIDE: it still is not
    why: str = ""  #: why it stays
    category: str = ""
    hard: bool = False
    rule: str = ""
    action_id: int | None = None


@dataclass(frozen=True)
class Bench:
    """What a mail is judged by, from its reading to its booking: all of one time."""

    reader: Reader
    policies: Mapping[str, Policy]  #: of every wiki that the reader knows
    limits: Limits

    @classmethod
    def of(cls, paths: verp.Verp, rules: RuleBook, policies: Mapping[str, Policy], limits: Limits) -> Self:
        return cls(Reader(paths, rules, partial(categories, policies)), policies, limits)


class BounceIntake:
    """The way in, whatever the door. ``take`` is repeatable: the same mail is a duplicate."""

    def __init__(
        self,
        database: Database,
        return_paths: ReturnPaths,
        rules: RuleBook,
        policies: Mapping[str, Policy],
        clock: Callable[[], datetime],
        owed: Callable[[], None] = lambda: None,  #: called after an action was enqueued
        metrics: Metrics | None = None,
        wall_clock: Callable[[], datetime] | None = None,  #: if *clock* is that of old mail
        failed: Callable[[str, int], None] = lambda wiki, user_id: (
            None
        ),  #: called after a failure counted, or may
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        readers: Readers | None = None,  #: closed with this; threads alone if None
    ) -> None:
        self._db, self._paths = database, return_paths
        self._bench = Bench.of(return_paths.verp, rules, policies, limits)
        self._clock, self._owed = clock, owed
        self._metrics, self._wall_clock = metrics or Metrics(), wall_clock or clock
        for category in Category:  # there from the start: what was never there has no rate
            for hard in ("true", "false") if category in HARD_CAPABLE else ("false",):
                self._metrics.bounces.labels(category, hard)
        self._failed, self._usual = failed, tallies.Usual()
        self._readers = readers or Readers()
        self._readers.use(self._bench.reader)

    def refusal(self, recipient: str, *, tell: bool = True) -> Receipt | None:
        """Why mail to this envelope recipient is not taken; None if it is. Logged if *tell*."""
        return self._paths.refusal(recipient, tell=tell)

    async def take(self, received: Received) -> Receipt:
        """Book a mail; returns after the commit. Raises whatever hinders it: then nothing was booked."""
        found = self._paths.verify(received.recipient)
        if isinstance(found, Receipt):
            if found.refused:
                return found
        elif (found.wiki, found.user_id) == CANARY:
            return await come_back(self._db, received.recipient, self._wall_clock(), self._metrics)
        now, bench = self._clock(), self._bench
        entry = ledger.Notice(received.recipient, received.raw, now, null_sender=not received.sender)
        mail = await self._readers.understand(bench.reader, entry)
        return await self._enter_it(mail, bench)

    async def book(self, mail: Understood) -> Receipt:
        """``take`` for what was read and judged elsewhere, by the same rules and policies."""
        return await self._enter_it(mail, self._bench)

    async def _enter_it(self, mail: Understood, bench: Bench) -> Receipt:
        booked = await self._db.write(lambda connection: self._book(connection, mail, bench))
        self._tell("notice", mail, booked)
        return booked.receipt

    async def reread(self, notice_id: int) -> Reread | None:
        """Judge again what was set aside, as of when it came; None if it is not set aside (any more).

        Repeatable. What cannot be recognised any more, its key being gone, stays as it is.
        """
        bench = self._bench
        kept = await self._db.read(lambda connection: aside.mail(connection, notice_id))
        if kept is None:
            return None
        try:
            mail = await self._readers.understand(bench.reader, kept)
        except verp.VerpError as error:
            return Reread(Receipt.SET_ASIDE, f"its return path: {error}")
        booked = await self._db.write(lambda connection: self._book_again(connection, notice_id, mail, bench))
        if booked is None:
            return None
        self._tell("reread", mail, booked)
        said = mail.bounce
        verdict = (said.category, said.hard, said.rule) if said else ("", False, "")
        return Reread(booked.receipt, mail.entry.aside, *verdict, booked.owing.action_id)

    def use(
        self, rules: RuleBook, policies: Mapping[str, Policy] | None = None, limits: Limits | None = None
    ) -> None:
        """Judge by these (None: as before), and by what the return paths use, from now on.

        What is being judged ends with what it began with.
        """
        before = self._bench
        self._bench = Bench.of(self._paths.verp, rules, policies or before.policies, limits or before.limits)
        self._readers.use(self._bench.reader)

    def close(self) -> None:
        """Waits for what is being read."""
        self._readers.close()

    def _book(self, connection: sa.Connection, mail: Understood, bench: Bench) -> Booked:
        """THE transaction. Book first, then count: the count includes this one, and nobody books between."""
        notice_id = ledger.append(connection, mail.entry)
        if notice_id is None:
            return Booked(Receipt.DUPLICATE, ledger.kept_as(connection, mail.entry))
        return self._enter(connection, notice_id, mail, bench, mail.entry.received)

    def _book_again(
        self, connection: sa.Connection, notice_id: int, mail: Understood, bench: Bench
    ) -> Booked | None:
        """The same for what is there already; the policy is asked as of now."""
        entry = mail.entry
        if not aside.settle(connection, notice_id, entry):
            return None
        return self._enter(connection, notice_id, mail, bench, self._clock())

    def _enter(
        self, connection: sa.Connection, notice_id: int, mail: Understood, bench: Bench, now: datetime
    ) -> Booked:
        booked, bounce = (
            Booked(Receipt.SET_ASIDE if mail.entry.aside else Receipt.TAKEN, notice_id),
            mail.bounce,
        )
        if bounce is None:
            return booked
        person = accounts.lock(connection, bounce.wiki, bounce.user_id)
        policy, wall_clock = bench.policies[bounce.wiki], self._wall_clock()
        entered = ledger.book(connection, notice_id, bounce, wall_clock.date())
        if entered is None:
            return booked
        booked = replace(booked, bounce_id=entered.id)
        if policy.central and bounce.hard:
            people.want(connection, Account(bounce.wiki, bounce.user_id), wall_clock)
        if bounce.confirming and bounce.hard:
            word = mistyped(connection, entered.id, bounce, policy, wall_clock)
            return replace(booked, owing=Owing(word))
        tripped: list[Tripped] = []
        if bounce.hard:
            tallies.count(connection, entered, bounce, person)
            limits, at = bench.limits, bounce.received
            tripped = look_at_failures(connection, bounce.provider, limits, at, wall_clock, self._usual)
            if entered.is_first and len(person.accounts) == 1 and policy.rule.hard_bounces > 1:
                return replace(booked, owing=Owing(tripped=tuple(tripped)))  # too few, whatever else there is
        elif not entered.was_proof:  # a soft bounce, too, may take a proof back
            return booked
        owing = consider(connection, bounce, bench.policies, bench.limits, now, wall_clock)
        return replace(booked, owing=replace(owing, tripped=(*tripped, *owing.tripped)))

    def _tell(self, event: str, mail: Understood, booked: Booked) -> None:
        """After the commit: the bell, the counters and the line of the log."""
        entry, bounce, receipt = mail.entry, mail.bounce, booked.receipt
        if booked.owing.action_id:
            self._owed()
        for brake in booked.owing.tripped:
            log.error("brake tripped", brake=brake.id, provider=brake.provider or "all", why=brake.why)
        if event == "notice":
            self._metrics.notices.labels(receipt, entry.kind).inc()
        if bounce and booked.counted:
            self._metrics.bounces.labels(bounce.category, str(bounce.hard).lower()).inc()
        counts = booked.counted and bounce and bounce.hard and not bounce.confirming
        if mail.about and (counts or entry.aside):
            self._failed(entry.wiki, entry.user_id)
        facts = {**booked.ids, "receipt": str(receipt), "kind": str(entry.kind), **mail.about}
        if bounce:
            facts |= {"category": str(bounce.category), "hard": bounce.hard, "rule": bounce.rule}
        if event == "notice" and receipt is Receipt.SET_ASIDE:
            log.warning("set aside", why=entry.aside, **facts)
        else:
            log.info(event, **facts)
        log.debug(event, **booked.ids, return_path=entry.return_path)  # as in the mail server's log

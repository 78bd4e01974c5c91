"""Take in one notice: read it, judge it, book it, and owe the wiki what follows, all or nothing.

The receipt is a promise: TAKEN, DUPLICATE and SET_ASIDE mean that the facts are on disk. If they cannot be
put there, the exception goes up and the door answers "try again": the MTA's queue is our spool.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parseaddr

import sqlalchemy as sa
import structlog

from sidecar.domain import mime, verp
from sidecar.domain.address import domain_of
from sidecar.domain.classify import RuleBook
from sidecar.domain.failure import Judge, failure_of
from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.policy import Mode, Policy, decide
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage import aside, ledger, outbox
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics, report
from sidecar.threads import Room

__all__ = ["BounceIntake", "Reread", "consider"]

log = structlog.get_logger()

NO_RULE = "no rule matched"
NEITHER = "neither a bounce nor an automatic answer"


@dataclass(frozen=True)
class Understood:
    """What a mail turned out to be."""

    entry: ledger.Notice
    bounce: ledger.Bounce | None = None
    about: Mapping[str, object] = field(default_factory=dict)  #: wiki and user, for the log


@dataclass(frozen=True)
class Booked:
    """What became of it."""

    receipt: Receipt
    counted: bool = False  #: a bounce was entered, or said more than the one that was there
    action_id: int | None = None


@dataclass(frozen=True)
class Reread:
    """What became of a mail that was set aside."""

    receipt: Receipt  #: TAKEN: it is understood now; SET_ASIDE: it still is not
    why: str = ""  #: why it stays
    category: str = ""
    hard: bool = False
    rule: str = ""
    action_id: int | None = None


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
    ) -> None:
        self._db, self._paths, self._rules = database, return_paths, rules
        self._policies, self._clock, self._owed = policies, clock, owed
        self._metrics, self._wall_clock = metrics or Metrics(), wall_clock or clock
        self._reading = Room("reader", 2)

    def refusal(self, recipient: str, *, tell: bool = True) -> Receipt | None:
        """Why mail to this envelope recipient is not taken; None if it is. Logged if *tell*."""
        found = self._paths.verify(recipient, tell=tell)
        return found if isinstance(found, Receipt) and found.refused else None

    async def take(self, received: Received) -> Receipt:
        """Book a mail; returns after the commit. Raises whatever hinders it: then nothing was booked."""
        if refused := self.refusal(received.recipient):
            return refused
        now = self._clock()
        entry = ledger.Notice(received.recipient, received.raw, now, null_sender=not received.sender)
        mail = await self._reading.run(lambda: self._understand(entry))
        booked = await self._db.write(lambda connection: self._book(connection, mail))
        self._tell("notice", mail, booked)
        return booked.receipt

    async def reread(self, notice_id: int) -> Reread | None:
        """Judge again what was set aside, as of when it came; None if it is not set aside (any more).

        Repeatable. What cannot be recognised any more, its key being gone, stays as it is.
        """
        kept = await self._db.read(lambda connection: aside.mail(connection, notice_id))
        if kept is None:
            return None
        try:
            mail = await self._reading.run(lambda: self._understand(kept))
        except verp.VerpError as error:
            return Reread(Receipt.SET_ASIDE, f"its return path: {error}")
        booked = await self._db.write(lambda connection: self._book_again(connection, notice_id, mail))
        if booked is None:
            return None
        self._tell("reread", mail, booked)
        said = mail.bounce
        verdict = (said.category, said.hard, said.rule) if said else ("", False, "")
        return Reread(booked.receipt, mail.entry.aside, *verdict, booked.action_id)

    def use(self, rules: RuleBook) -> None:
        """Judge by *rules* from now on."""
        self._rules = rules

    def close(self) -> None:
        """Waits for what is being read."""
        self._reading.close()

    def _book(self, connection: sa.Connection, mail: Understood) -> Booked:
        """THE transaction. Book first, then count: the count includes this one, and nobody writes between."""
        notice_id = ledger.append(connection, mail.entry)
        if notice_id is None:
            return Booked(Receipt.DUPLICATE)
        return self._enter(connection, notice_id, mail, mail.entry.received)

    def _book_again(self, connection: sa.Connection, notice_id: int, mail: Understood) -> Booked | None:
        """The same for what is there already; the policy is asked as of now."""
        entry = mail.entry
        if not aside.settle(connection, notice_id, kind=entry.kind, why=entry.aside, domain=entry.domain):
            return None
        return self._enter(connection, notice_id, mail, self._clock())

    def _enter(self, connection: sa.Connection, notice_id: int, mail: Understood, now: datetime) -> Booked:
        receipt = Receipt.SET_ASIDE if mail.entry.aside else Receipt.TAKEN
        bounce = mail.bounce
        if bounce is None or not ledger.book(connection, notice_id, bounce):
            return Booked(receipt)
        if not bounce.hard:
            return Booked(receipt, counted=True)
        policy = self._policies[bounce.wiki]
        due = self._wall_clock()
        return Booked(receipt, True, consider(connection, bounce.wiki, bounce.user_id, policy, now, due))

    def _understand(self, entry: ledger.Notice) -> Understood:
        """Read and judge a mail; what our reader cannot read is its fault, not the MTA's: set aside."""
        try:
            token = self._paths.recognise(entry.return_path, entry.received)
        except verp.UnknownWiki as error:
            return Understood(replace(entry, aside=str(error)).pack())
        about = {"wiki": token.wiki, "user": token.user_id}
        try:
            notice = read(entry.raw)
            bounce = self._judge(token, notice, entry)
            why = _not_understood(notice, bounce)
            domain = _domain(entry.raw, bounce) if why else ""
        except Exception as error:
            report(log, "a notice could not be read", error)
            why = f"could not be read: {type(error).__name__}"
            return Understood(replace(entry, aside=why).pack(), None, about)
        entry = replace(entry, kind=str(notice.kind), aside=why, domain=domain)
        return Understood(entry.pack(), bounce, about)

    def _judge(self, token: verp.Token, notice: Notice, entry: ledger.Notice) -> ledger.Bounce | None:
        """The bounce that a notice makes for its user; None if the notice is no bounce."""
        may_count = self._policies[token.wiki].categories
        judge = Judge(self._rules, may_count, self._paths.is_about)
        found = failure_of(notice, token, judge, null_sender=entry.null_sender, received=entry.received)
        if found is None:
            return None
        verdict, about = found
        return ledger.Bounce(
            wiki=token.wiki,
            user_id=token.user_id,
            sent=token.sent,
            tag=token.tag,
            key_id=token.key_id,
            received=entry.received,
            category=str(verdict.category),
            hard=verdict.hard,
            status=about.status,
            rule=verdict.rule,
            domain=domain_of(about.address),
        )

    def _tell(self, event: str, mail: Understood, booked: Booked) -> None:
        """After the commit: the bell, the counters and the line of the log."""
        entry, bounce, receipt = mail.entry, mail.bounce, booked.receipt
        if booked.action_id:
            self._owed()
        if event == "notice":
            self._metrics.notices.labels(receipt, entry.kind).inc()
        if bounce and booked.counted:
            self._metrics.bounces.labels(bounce.category, str(bounce.hard).lower()).inc()
        facts = {"receipt": str(receipt), "kind": str(entry.kind), **mail.about}
        if bounce:
            facts |= {"category": str(bounce.category), "hard": bounce.hard, "rule": bounce.rule}
        if booked.action_id:
            facts["action"] = booked.action_id
        if event == "notice" and receipt is Receipt.SET_ASIDE:
            log.warning("set aside", why=entry.aside, **facts)
        else:
            log.info(event, **facts)


def _not_understood(notice: Notice, bounce: ledger.Bounce | None) -> str:
    """Why a person shall look at what was read; "" if we understand it. The only place that says so."""
    if notice.kind is Kind.ORDINARY:
        return NEITHER
    return NO_RULE if bounce and not bounce.rule else ""


def _domain(raw: bytes, bounce: ledger.Bounce | None) -> str:
    """Where it failed, else whence the mail came."""
    if bounce:
        return bounce.domain
    return domain_of(parseaddr(mime.parse(raw).first("from"))[1])


def consider(
    connection: sa.Connection, wiki: str, user_id: int, policy: Policy, now: datetime, due: datetime
) -> int | None:
    """Enqueue what the user's history calls for as of *now*; the action's id, or None if nothing new is owed.

    It falls due at *due*, which is another time only where old mail is taken in.
    """
    history = ledger.hard_bounces(connection, wiki, user_id, outbox.forget_until(connection, wiki, user_id))
    decision = decide(wiki, user_id, policy.counted(history), policy.rule, now)
    if decision is None or outbox.is_open(connection, wiki, user_id):
        return None
    shadow = policy.mode is Mode.SHADOW
    if shadow and outbox.shadowed(connection, (bounce.id for bounce in decision.because)):
        return None
    return outbox.enqueue(connection, decision, due, shadow=shadow)

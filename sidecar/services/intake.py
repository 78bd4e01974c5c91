"""Take in one notice: read it, judge it, book it, and owe the wiki what follows, all or nothing.

The receipt is a promise: TAKEN, DUPLICATE and SET_ASIDE mean that the facts are on disk. If they cannot be
put there, the exception goes up and the door answers "try again": the MTA's queue is our spool.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from sidecar.domain import verp
from sidecar.domain.address import domain_of, fold
from sidecar.domain.classify import Category, RuleBook, Verdict
from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.policy import Mode, Policy, decide
from sidecar.domain.report import Report, ReportAction
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage import ledger, outbox
from sidecar.storage.database import Database
from sidecar.telemetry import report
from sidecar.threads import Room

__all__ = ["BounceIntake", "consider"]

log = structlog.get_logger()

REFUSALS = {
    verp.NotOurs: Receipt.NOT_OURS,
    verp.Forged: Receipt.FORGED,
    verp.Expired: Receipt.TOO_LATE,
}
FAILURES = (ReportAction.FAILED, ReportAction.UNSTATED)
CLOCK_SKEW = timedelta(hours=1)  # between hosts that sign and hosts that take bounces
FORWARDED = Verdict(Category.FORWARDED, hard=False, rule="forwarded")


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
        wall_clock: Callable[[], datetime] | None = None,  #: if *clock* is that of old mail
    ) -> None:
        self._db, self._paths, self._rules = database, return_paths, rules
        self._policies, self._clock, self._owed = policies, clock, owed
        self._wall_clock = wall_clock or clock
        self._reading = Room("reader", 2)

    def refusal(self, recipient: str) -> Receipt | None:
        """Why mail to this envelope recipient is not taken; None if it is."""
        try:
            self._paths.recognise(recipient)
        except verp.UnknownWiki:
            return None  # signed by us: a person decides
        except tuple(REFUSALS) as error:
            log.info("refused", receipt=str(REFUSALS[type(error)]), why=str(error))
            return REFUSALS[type(error)]
        return None

    async def take(self, received: Received) -> Receipt:
        """Book a mail; returns after the commit. Raises whatever hinders it: then nothing was booked."""
        if refused := self.refusal(received.recipient):
            return refused
        now = self._clock()
        try:
            token = self._paths.recognise(received.recipient)
        except verp.UnknownWiki as error:
            aside = ledger.Notice(received.recipient, received.raw, now, aside=str(error))
            entry, bounce = await self._reading.run(aside.pack), None
            about = {}
        else:
            entry, bounce = await self._reading.run(lambda: self._understand(received, token, now))
            about = {"wiki": token.wiki, "user": token.user_id}
        receipt, action_id = await self._db.write(lambda connection: self._book(connection, entry, bounce))
        if action_id:
            self._owed()
        _tell(receipt, entry, bounce, {**about, **({"action": action_id} if action_id else {})})
        return receipt

    def close(self) -> None:
        """Waits for what is being read."""
        self._reading.close()

    def _book(
        self, connection: sa.Connection, entry: ledger.Notice, bounce: ledger.Bounce | None
    ) -> tuple[Receipt, int | None]:
        """THE transaction. Book first, then count: the count includes this one, and nobody writes between."""
        notice_id = ledger.append(connection, entry)
        if notice_id is None:
            return Receipt.DUPLICATE, None
        if entry.aside:
            return Receipt.SET_ASIDE, None
        if bounce and ledger.book(connection, notice_id, bounce) and bounce.hard:
            policy, due = self._policies[bounce.wiki], self._wall_clock()
            return Receipt.TAKEN, consider(
                connection, bounce.wiki, bounce.user_id, policy, entry.received, due
            )
        return Receipt.TAKEN, None

    def _understand(
        self, received: Received, token: verp.Token, now: datetime
    ) -> tuple[ledger.Notice, ledger.Bounce | None]:
        """Read and judge a mail; what our reader cannot read is its fault, not the MTA's: set aside."""
        try:
            notice = read(received.raw)
            bounce = self._judge(token, notice, received.sender, now)
        except Exception as error:
            report(log, "a notice could not be read", error)
            why = f"could not be read: {type(error).__name__}"
            return ledger.Notice(received.recipient, received.raw, now, aside=why).pack(), None
        return ledger.Notice(received.recipient, received.raw, now, kind=str(notice.kind)).pack(), bounce

    def _judge(self, token: verp.Token, notice: Notice, sender: str, now: datetime) -> ledger.Bounce | None:
        """The bounce that a notice makes for its user; None if the notice is no bounce."""
        failures = [report for report in notice.reports if report.action in FAILURES]
        if notice.kind is not Kind.BOUNCE or not failures:
            return None
        ours = [report for report in notice.reports if self._is_about_user(token, report)]
        verdicts = [(self._rules.judge(report), report) for report in ours if report.action in FAILURES]
        # Several failures for one address: the mildest is the one that hurts nobody.
        verdict, report = min(verdicts, key=lambda pair: pair[0].hard, default=(FORWARDED, failures[0]))
        if verdict.hard and (doubt := _doubt(token, sender, ours, now)):
            verdict = Verdict(verdict.category, hard=False, rule=doubt)
        return ledger.Bounce(
            wiki=token.wiki,
            user_id=token.user_id,
            sent=token.sent,
            tag=token.tag,
            key_id=token.key_id,
            received=now,
            category=str(verdict.category),
            hard=verdict.hard,
            status=report.status,
            rule=verdict.rule,
            domain=domain_of(report.address),
        )

    def _is_about_user(self, token: verp.Token, report: Report) -> bool:
        """False if another address failed than the one written to: the mail was forwarded.

        A user who forwards to two mailboxes, one of them dead, still gets the mail; hence the final
        address decides, and the original one only where there is no other (RFC 3464 section 2.3).
        """
        failed = report.address or report.original
        about = self._paths.is_about(token, failed) if failed else None
        if about is None and report.address and report.original:  # the return path has no tag
            return fold(report.address) == fold(report.original)
        return about is not False


def _doubt(token: verp.Token, sender: str, reports: list[Report], now: datetime) -> str:
    """Why a hard failure does not count after all, as the name of a rule; "" if nothing speaks against it."""
    if sender:
        return "sender-not-null"  # RFC 5321 section 4.5.5: a delivery report has the null sender
    if any(report.action not in FAILURES for report in reports):
        return "arrived-too"  # for the same address, by another way
    if token.sent > now + CLOCK_SKEW:
        return "sent-in-the-future"  # a clock was wrong, and so would be what we say to the wiki
    return ""


def _tell(
    receipt: Receipt, entry: ledger.Notice, bounce: ledger.Bounce | None, about: Mapping[str, object]
) -> None:
    """The line of the log, after the commit."""
    if entry.aside:
        log.warning("set aside", receipt=str(receipt), why=entry.aside, **about)
        return
    verdict = {"category": bounce.category, "hard": bounce.hard, "rule": bounce.rule} if bounce else {}
    log.info("notice", receipt=str(receipt), kind=entry.kind, **about, **verdict)


def consider(
    connection: sa.Connection, wiki: str, user_id: int, policy: Policy, now: datetime, due: datetime
) -> int | None:
    """Enqueue what the user's history calls for as of *now*; the action's id, or None if nothing new is owed.

    It falls due at *due*, which is another time only where old mail is taken in.
    """
    history = ledger.hard_bounces(connection, wiki, user_id, outbox.forget_until(connection, wiki, user_id))
    decision = decide(wiki, user_id, history, policy.rule, now)
    if decision is None or outbox.is_open(connection, wiki, user_id):
        return None
    shadow = policy.mode is Mode.SHADOW
    if shadow and outbox.shadowed(connection, (bounce.id for bounce in decision.because)):
        return None
    return outbox.enqueue(connection, decision, due, shadow=shadow)

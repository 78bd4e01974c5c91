"""Take in one notice: read it, judge it, book it, and owe the wiki what follows, all or nothing.

The receipt is a promise: TAKEN, DUPLICATE and SET_ASIDE mean that the facts are on disk. If they cannot be
put there, the exception goes up and the door answers "try again": the MTA's queue is our spool.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa
import structlog

from sidecar.domain import verp
from sidecar.domain.address import domain_of
from sidecar.domain.classify import Category, RuleBook, Verdict
from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.policy import Mode, Policy, decide
from sidecar.domain.report import Report, ReportAction
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage import ledger, outbox
from sidecar.storage.database import Database
from sidecar.threads import Room

__all__ = ["BounceIntake", "consider"]

log = structlog.get_logger()

REFUSALS = {
    verp.NotOurs: Receipt.NOT_OURS,
    verp.Forged: Receipt.FORGED,
    verp.Expired: Receipt.TOO_LATE,
}
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
    ) -> None:
        self._db, self._paths, self._rules = database, return_paths, rules
        self._policies, self._clock, self._owed = policies, clock, owed
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
            notice = await self._reading.run(lambda: read(received.raw))
            bounce = self._judge(token, notice, now)
        except verp.UnknownWiki as error:
            return await self._set_aside(received, now, str(error))
        except Exception as error:  # our reader's fault, not the MTA's: keep the mail, tell a person
            log.exception("a notice could not be read")
            return await self._set_aside(received, now, f"could not be read: {type(error).__name__}")
        entry = ledger.Notice(received.recipient, received.raw, now, kind=notice.kind)
        receipt, action_id = await self._db.write(lambda connection: self._book(connection, entry, bounce))
        if action_id:
            self._owed()
        log.info(
            "notice", receipt=str(receipt), kind=str(notice.kind), wiki=token.wiki, user=token.user_id,
            **({"category": bounce.category, "hard": bounce.hard, "rule": bounce.rule} if bounce else {}),
            **({"action": action_id} if action_id else {}),
        )  # fmt: skip
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
        if bounce and ledger.book(connection, notice_id, bounce) and bounce.hard:
            policy = self._policies[bounce.wiki]
            return Receipt.TAKEN, consider(connection, bounce.wiki, bounce.user_id, policy, entry.received)
        return Receipt.TAKEN, None

    async def _set_aside(self, received: Received, now: datetime, why: str) -> Receipt:
        entry = ledger.Notice(received.recipient, received.raw, now, aside=why)
        fresh = await self._db.write(lambda connection: ledger.append(connection, entry))
        log.warning("set aside", why=why, fresh=fresh is not None)
        return Receipt.SET_ASIDE if fresh else Receipt.DUPLICATE

    def _judge(self, token: verp.Token, notice: Notice, now: datetime) -> ledger.Bounce | None:
        """The bounce that a notice makes for its user; None if the notice is no bounce."""
        failures = [r for r in notice.reports if r.action in (ReportAction.FAILED, ReportAction.UNSTATED)]
        if notice.kind is not Kind.BOUNCE or not failures:
            return None
        ours = [report for report in failures if self._is_about_user(token, report)]
        verdicts = [(self._rules.judge(report), report) for report in ours]
        # Several failures for one address: the mildest is the one that hurts nobody.
        verdict, report = min(verdicts, key=lambda pair: pair[0].hard, default=(FORWARDED, failures[0]))
        return ledger.Bounce(
            wiki=token.wiki,
            user_id=token.user_id,
            sent=token.sent,
            tag=token.tag,
            key_id=token.key_id,
            received=now,
            category=verdict.category,
            hard=verdict.hard,
            status=report.status,
            rule=verdict.rule,
            domain=domain_of(report.address)[:255],
        )

    def _is_about_user(self, token: verp.Token, report: Report) -> bool:
        """False if the report names another address than the one written to: the mail was forwarded."""
        named = [address for address in (report.original, report.address) if address]
        return not named or any(self._paths.is_about(token, address) is not False for address in named)


def consider(connection: sa.Connection, wiki: str, user_id: int, policy: Policy, now: datetime) -> int | None:
    """Enqueue what the user's history calls for; the action's id, or None if nothing new is owed."""
    history = ledger.hard_bounces(connection, wiki, user_id, outbox.forget_until(connection, wiki, user_id))
    decision = decide(wiki, user_id, history, policy.rule, now)
    if decision is None or outbox.is_open(connection, wiki, user_id):
        return None
    shadow = policy.mode is Mode.SHADOW
    if shadow and outbox.shadowed(connection, (bounce.id for bounce in decision.because)):
        return None
    return outbox.enqueue(connection, decision, now, shadow=shadow)

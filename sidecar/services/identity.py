"""Ask the wikis to whom accounts belong, beside the way of the bounces, and let one person's accounts be one.

Knows who is asked and when, and what follows from an answer: what was owed at an account that does not lead
is decided again where the person leads. Does not know what a wiki is asked (the port) nor who leads
(domain/person.py). While a wiki does not answer, nothing is done to accounts of which it is not known whose
they are.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from sidecar.domain.brake import Limits
from sidecar.domain.person import LOCAL, Account, Together, gather
from sidecar.domain.policy import Streak
from sidecar.domain.wiki import WikiError, WikiRefused
from sidecar.services.calls import Calls
from sidecar.services.decision import Owing, Policies, central_wikis, consider
from sidecar.storage import accounts, claims, ledger, outbox, people, persons
from sidecar.storage.database import Database
from sidecar.storage.people import Inquiry
from sidecar.telemetry import Metrics, report

__all__ = ["Identities"]

log = structlog.get_logger()

CALLS = 8  # wikis asked at the same time; the others of the dispatcher's are for what is owed
LEASE = (
    claims.LEASE
)  # what a dead node owed must not wait longer for its question; asked twice, it only reads
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
IDLE = 1.0  # seconds between looks
ANEW = timedelta(days=1)  # between looks for failures of before a wiki had central accounts
LEAST = Streak().forget  # that failures are remembered: the policy may be another one tomorrow


class Identities:
    """Feeds the table of identities with answers. Of wikis without central accounts it asks nothing."""

    def __init__(
        self,
        database: Database,
        calls: Calls,
        policies: Policies,
        limits: Limits,
        clock: Callable[[], datetime],
        owed: Callable[[], None] = lambda: None,  #: called after an answer: something may be due now
        metrics: Metrics | None = None,
    ) -> None:
        self._db, self._calls, self._policies, self._limits = database, calls, policies, limits
        self._clock, self._owed, self._answers = clock, owed, (metrics or Metrics()).inquiries
        self._central = central_wikis(policies)
        self._asking: set[str] = set()
        self._looked: datetime | None = None
        self._bell = asyncio.Event()
        self._stopping = False

    def use(self, policies: Policies, limits: Limits) -> None:
        """By these from now on; which wikis have central accounts is looked at anew."""
        self._policies, self._limits = policies, limits
        self._central, self._looked = central_wikis(policies), None
        self._bell.set()

    async def run(self) -> None:
        """Until ``stop``. What fails is logged and slept on."""
        async with asyncio.TaskGroup() as inquiries:
            while not self._stopping:
                self._bell.clear()
                if inquiry := await self._chosen():
                    inquiries.create_task(self._ask_alone(inquiry), name=f"identity-{inquiry.account.wiki}")
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), IDLE)

    def stop(self) -> None:
        """Let ``run`` end once the questions that are under way are answered."""
        self._stopping = True
        self._bell.set()

    async def step(self) -> bool:
        """Ask about one account; False if none is due."""
        inquiry = await self._claim()
        if inquiry:
            await self._ask(inquiry)
        return inquiry is not None

    async def _chosen(self) -> Inquiry | None:
        try:
            return await self._claim() if len(self._asking) < CALLS else None
        except Exception as error:
            report(log, "identity failed", error)
            return None

    async def _ask_alone(self, inquiry: Inquiry) -> None:
        try:
            await self._ask(inquiry)
        except Exception as error:
            report(log, "identity failed", error, wiki=inquiry.account.wiki, user=inquiry.account.user_id)
        self._bell.set()

    async def _claim(self) -> Inquiry | None:
        now = self._clock()
        await self._look(now)
        if not self._central:
            return None
        closed = self._asking | await self._calls.closed(now)
        if not await self._db.read(lambda connection: people.is_due(connection, now, closed)):
            return None
        inquiry = await self._db.write(lambda connection: people.claim(connection, now, now + LEASE, closed))
        if inquiry:
            self._asking.add(inquiry.account.wiki)
        return inquiry

    async def _look(self, now: datetime) -> None:
        """Of whom is to be known whose account it is, and nobody has asked?"""
        if self._looked is None or not timedelta(0) <= now - self._looked < ANEW:
            await self._db.write(lambda connection: people.forget_wikis(connection, self._central))
            since = now - max([LEAST, *(policy.memory for policy in self._policies.values())])
            await self._want(lambda connection: people.never_asked(connection, self._central, since), now)
            self._looked = now
        if self._central:
            await self._want(lambda connection: people.overdue(connection, self._central, now), now)

    async def _want(self, find: Callable[[sa.Connection], Collection[Account]], now: datetime) -> None:
        while found := await self._db.read(find):
            await self._db.write(lambda connection, found=found: people.want_all(connection, found, now))  # type: ignore[misc]

    async def _ask(self, inquiry: Inquiry) -> None:
        account = inquiry.account
        try:
            person = await self._calls.ask(account.wiki, lambda wiki: wiki.identify(account.user_id))
        except WikiRefused:
            person = LOCAL
        except WikiError as error:
            await self._wait(inquiry, error)
            return
        finally:
            self._asking.discard(account.wiki)
        now, together = self._clock(), gather(account, person, self._central)
        if together.lead != account:
            await self._refer(inquiry, together.lead, now)
            return
        owing = await self._db.write(lambda connection: self._book(connection, together, now))
        if owing is None:
            return
        self._answers.labels("person" if len(together.accounts) > 1 else "local").inc()
        about = {"wiki": account.wiki, "user": account.user_id, "accounts": len(together.accounts)}
        decided = [one.action_id for one in owing if one.action_id]
        log.info("identified", lead=str(together.lead), **about, **({"actions": decided} if decided else {}))
        for brake in (brake for one in owing for brake in one.tripped):
            log.error("brake tripped", brake=brake.id, provider=brake.provider or "all", why=brake.why)
        self._owed()

    async def _refer(self, inquiry: Inquiry, lead: Account, now: datetime) -> None:
        """Another account leads this one, says its wiki. Whom it is acted on, that one's wiki alone says:
        else any wiki could have its failures counted for anybody.
        """
        account, again = inquiry.account, now + _delay(inquiry)

        def work(connection: sa.Connection) -> bool:
            accounts.lock_all(connection, {account, lead})
            if people.agreed(connection, account, lead, now):
                return True
            people.postpone(connection, account, again)
            return False

        if await self._db.write(work):
            self._owed()
        elif inquiry.tries:
            why = f"{lead} leads it, and {lead.wiki} has not said so"
            self._answers.labels("none").inc()
            log.warning("not identified", wiki=account.wiki, user=account.user_id, why=why)

    def _book(self, connection: sa.Connection, together: Together, now: datetime) -> list[Owing] | None:
        """The answer, and what follows; with everybody locked whom it concerns.

        None: a wiki is being called for one that would be led otherwise, and that call may yet fail.
        """
        accounts.lock_all(connection, together.accounts)
        before = people.leads_of(connection, together.accounts)
        joining = [one for one, lead in before.items() if together.lead not in (one, lead)]
        if busy_until := claims.in_hand_until(connection, joining, now):
            people.postpone(connection, together.lead, busy_until)
            return None
        moved = people.leads_of(connection, people.answered(connection, together, now))
        outbox.hand_over(connection, [one for one, lead in moved.items() if one != lead], now)
        owing = []
        for lead in sorted({*moved.values(), persons.lead_of(connection, together.lead)}):
            newest = ledger.newest_hard(connection, people.busy_accounts(connection, lead))
            if newest and newest.wiki in self._policies:
                owing.append(consider(connection, newest, self._policies, self._limits, now, now))
        return owing

    async def _wait(self, inquiry: Inquiry, error: WikiError) -> None:
        now, account = self._clock(), inquiry.account
        ask_at = now + _delay(inquiry)
        await self._db.write(lambda connection: people.postpone(connection, account, ask_at))
        self._answers.labels("none").inc()
        log.warning("not identified", wiki=account.wiki, user=account.user_id, why=str(error))


def _delay(inquiry: Inquiry) -> timedelta:
    return min(FIRST_DELAY * (1 << min(inquiry.tries, 20)), LONGEST_DELAY)

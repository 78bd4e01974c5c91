"""Pay what we owe the wikis: claim, call, settle. No transaction is open while a wiki is being called.

tenacity, in the adapter, owns seconds; the circuits own minutes; the outbox owns hours. Killed at any
instant, the action is claimed again when the lease ends, and the wiki answers "already".
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from sidecar.domain.policy import Mode, Policy
from sidecar.domain.wiki import (
    Action,
    Effect,
    Outcome,
    Restore,
    Unconfirm,
    Warn,
    WikiError,
    WikiMisconfigured,
    WikiRefused,
    WikiUnavailable,
)
from sidecar.services.calls import NOT_CONFIGURED, Calls
from sidecar.services.circuit import Pauses
from sidecar.services.decision import central_wikis, still_wanted
from sidecar.services.hands import Hands
from sidecar.services.lines import Lines, Way
from sidecar.services.places import PROMPT
from sidecar.storage import actions, claims, outbox
from sidecar.storage.actions import State
from sidecar.storage.database import Database
from sidecar.storage.outbox import Owed
from sidecar.storage.wanted import KINDS
from sidecar.telemetry import Metrics, report

__all__ = ["Dispatcher"]

log = structlog.get_logger()

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=90)  # no wiki is down for a quarter; `outbox retry` revives what is dead
OVERTAKEN = 50  # actions that are given up in one transaction: it locks their users, and bounces wait for it
MANY = 20  # bounces that a line of the log names; `history` has all of them
IDLE = 1.0  # seconds between looks at the outbox when nobody rings


class Dispatcher:
    """Calls the wikis, each for one action at a time, many at the same time."""

    def __init__(
        self,
        database: Database,
        lines: Lines,
        policies: Mapping[str, Policy],
        clock: Callable[[], datetime],
        jitter: Callable[[], float],  #: 0.0 to 1.0
        pauses: Pauses = Pauses(),  # noqa: B008  (frozen)
        metrics: Metrics | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        self._db, self._lines, self._policies = database, lines, policies
        self._clock, self._jitter = clock, jitter
        self._central = central_wikis(policies)
        self.calls = Calls(database, lines, clock, pauses, metrics, self.ring)
        self._circuits, self._places = self.calls.circuits, self.calls.places
        self._results = metrics.actions
        for result in (
            *Effect,
            "postponed",
            "misconfigured",
            "dead",
        ):  # there from the start: so it has a rate
            self._results.labels(result)
        self._hands = Hands(database, clock)
        self._bell = asyncio.Event()
        self._stopping = False

    def use(self, ways: Mapping[str, Way], policies: Mapping[str, Policy]) -> None:
        """Call these from now on. What is owed to others waits; who is reached anew gets a fresh try."""
        self.calls.use(ways)
        self._policies, self._central = policies, central_wikis(policies)
        self.ring()

    def ring(self) -> None:
        """Something is owed: look at once."""
        self._bell.set()

    def stop(self) -> None:
        """Let ``run`` end once the calls that are under way are settled."""
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Until ``stop``. What fails is logged and slept on; it never takes the doors down."""
        async with self._hands.saying_so(), asyncio.TaskGroup() as calls:
            while not self._stopping:
                self._bell.clear()
                if owed := await self._chosen():
                    calls.create_task(self._pay_alone(owed), name=f"dispatch-{owed.action.wiki}")
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), IDLE)

    async def _chosen(self) -> Owed | None:
        """The next action, if one is due and there is room for another call."""
        try:
            await self._lines.let_go(self._clock())
            return await self._claim() if self._places.free else None
        except Exception as error:
            report(log, "dispatch failed", error)
            return None

    async def _pay_alone(self, owed: Owed) -> None:
        try:
            with self._hands.holding(owed):
                await self._pay(owed)
        except Exception as error:
            report(log, "dispatch failed", error, **_about(owed))
        self.ring()

    async def step(self) -> bool:
        """Pay one action; False if none is due."""
        owed = await self._claim()
        if owed:
            await self._pay(owed)
        return owed is not None

    async def _claim(self) -> Owed | None:
        now = self._clock()
        closed, troubled = await self.calls.standing(now)
        due = await self._db.read(lambda connection: claims.is_due(connection, now, closed, self._central))
        if not due or self._stopping:  # it may have been told while we looked
            return None
        owed, more = await self._db.write(lambda connection: self._claim_wanted(connection, now, closed))
        if more:
            self.ring()
        if owed:
            self._places.take(owed.action.wiki, on_probation=owed.action.wiki in troubled)
        return owed

    def _claim_wanted(
        self, connection: sa.Connection, now: datetime, closed: set[str]
    ) -> tuple[Owed | None, bool]:
        """Claim what the policy still wants: it is asked again before acting. And whether to look again."""
        claims.date_anew(connection, now)
        for _ in range(OVERTAKEN):
            owed = claims.claim(connection, now, now + claims.LEASE, closed, self._central)
            if not owed:
                return None, False
            policy = self._policies.get(owed.action.wiki)
            if policy is None:
                outbox.postpone(connection, owed, now + LONGEST_DELAY, NOT_CONFIGURED, now)
            elif policy.mode is Mode.SHADOW and not isinstance(owed.action, Restore):
                outbox.close(connection, owed, State.SHADOW, "the wiki is in shadow mode now", now)
            elif action := still_wanted(connection, owed, self._policies, now):
                because = actions.bounces_of(connection, owed.id)
                return replace(owed, action=action, bounces=because), False
            else:
                outbox.close(connection, owed, State.OVERTAKEN, "the policy no longer wants it", now)
        return None, True

    async def _pay(self, owed: Owed) -> None:
        wiki, way = owed.action.wiki, self._lines.ways.get(owed.action.wiki)
        login = way.login if way else ""  # it may be another one, or none, when the call has ended
        lasting = asyncio.get_running_loop().call_later(PROMPT, self.calls.step_aside, wiki)
        try:
            if not way:  # removed since it was claimed
                raise WikiUnavailable(NOT_CONFIGURED)
            outcome = await self.calls.put(wiki, lambda port: port.perform(owed.action), way)
        except WikiRefused as error:
            await self._refused(owed, login, error)
        except (WikiUnavailable, WikiMisconfigured) as error:
            await self._wait(owed, login, error)
        else:
            await self._settle(owed, login, outcome)
        finally:
            lasting.cancel()
            self._places.leave(wiki)

    async def _settle(self, owed: Owed, login: str, outcome: Outcome) -> None:
        """Book the answer; if the wiki is back after an outage, what waits for it falls due now."""
        now = self._clock()
        forget = _forget(owed.action, outcome, now)
        answered = self.calls.answered(owed.action.wiki, login)

        def work(connection: sa.Connection) -> None:
            outbox.settle(connection, owed, outcome, forget, now)
            if answered(connection):
                outbox.hasten(connection, owed.action.wiki, now)

        await self._db.write(work)
        whose = {"group": outcome.group} if outcome.group else {}
        self._tell(owed, "done", effect=str(outcome.effect), **whose)

    async def _refused(self, owed: Owed, login: str, error: WikiRefused) -> None:
        """An answer, too: the wiki is well, and will never do this."""
        answered = self.calls.answered(owed.action.wiki, login)
        await self._bury(owed, str(error), answered)

    async def _wait(self, owed: Owed, login: str, error: WikiError) -> None:
        now, wiki = self._clock(), owed.action.wiki
        self._circuits.learn(wiki, login, error)

        def leave_alone(connection: sa.Connection) -> timedelta:
            return self._circuits.failed(connection, wiki, login, error, now)

        if now - owed.created > GIVE_UP_AFTER:
            await self._bury(owed, f"gave up: {error}", leave_alone)
            return

        def work(connection: sa.Connection) -> datetime:
            due = now + max(leave_alone(connection), self.delay(owed.attempts))
            outbox.postpone(connection, owed, due, str(error), now)
            return due

        due = await self._db.write(work)
        if isinstance(error, WikiMisconfigured):
            self._results.labels("misconfigured").inc()
            log.error("wiki misconfigured", **_about(owed), why=str(error))
        else:
            self._tell(owed, "postponed", why=str(error), due=due.isoformat(timespec="seconds"))

    async def _bury(self, owed: Owed, why: str, besides: Callable[[sa.Connection], object]) -> None:
        now = self._clock()

        def work(connection: sa.Connection) -> None:
            besides(connection)
            outbox.close(connection, owed, State.DEAD, why, now)

        await self._db.write(work)
        self._tell(owed, "dead", why=why)

    def delay(self, attempts: int) -> timedelta:
        """How long an action waits after so many attempts: doubling from 30 s up to 6 h, and jitter."""
        wait = min(FIRST_DELAY * (1 << min(attempts - 1, 20)), LONGEST_DELAY)
        return wait * (1 + 0.5 * self._jitter())

    def _tell(self, owed: Owed, what: str, **facts: object) -> None:
        """After the commit."""
        self._results.labels(str(facts.get("effect", what))).inc()
        log.info("action", what=what, **_about(owed), **facts)

    def close(self) -> None:
        """Waits for the calls that are under way."""
        self._lines.close()


def _about(owed: Owed) -> dict[str, object]:
    """By which `outbox` and `history` know it, and the lines of those notices that led to it."""
    action = owed.action
    whose = {"kind": str(KINDS[type(action)]), "wiki": action.wiki, "user": action.user_id}
    ids = {"bounces": list(owed.bounces[-MANY:])} if owed.bounces else {}
    return {"action": owed.id, **whose, **ids, "attempts": owed.attempts}


def _forget(action: Action, outcome: Outcome, now: datetime) -> datetime | None:
    """Mail sent up to then counts no more: the wiki acted, would not act, or the user confirmed since."""
    if not isinstance(action, Warn | Unconfirm) or outcome.effect is Effect.WARNED:
        return None
    return outcome.confirmed_at if outcome.effect is Effect.CHANGED and outcome.confirmed_at else now

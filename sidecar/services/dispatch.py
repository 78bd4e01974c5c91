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
from sidecar.services.circuit import Circuits, Pauses, Rows
from sidecar.services.decision import still_wanted
from sidecar.services.hands import Hands
from sidecar.services.lines import Lines, Way
from sidecar.services.places import PROMPT, Places
from sidecar.storage import circuits, claims, outbox
from sidecar.storage.actions import State
from sidecar.storage.database import Database
from sidecar.storage.outbox import Owed
from sidecar.telemetry import Metrics, report

__all__ = ["Dispatcher"]

log = structlog.get_logger()

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=90)  # no wiki is down for a quarter; `outbox retry` revives what is dead
NOT_CONFIGURED = "the wiki is not configured"
OVERTAKEN = 50  # actions that are given up in one transaction: it locks their users, and bounces wait for it
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
        self._circuits, self._places = Circuits(pauses), Places()
        self._metrics, self._results = metrics, metrics.actions
        self._hastened: set[tuple[str, str]] = set()
        self._anew: set[str] = set()  # reached otherwise than before: what waits for them falls due
        self._hands = Hands(database, clock)
        self._bell = asyncio.Event()
        self._stopping = False

    def use(self, ways: Mapping[str, Way], policies: Mapping[str, Policy]) -> None:
        """Call these from now on. What is owed to others waits; who is reached anew gets a fresh try."""
        self._anew |= {wiki for wiki in ways if ways[wiki] != self._lines.ways.get(wiki)}
        self._lines.use(ways)
        self._policies = policies
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
            report(log, "dispatch failed", error, action=owed.id)
        self.ring()

    async def step(self) -> bool:
        """Pay one action; False if none is due."""
        owed = await self._claim()
        if owed:
            await self._pay(owed)
        return owed is not None

    async def _claim(self) -> Owed | None:
        now = self._clock()
        rows = await self._db.read(circuits.standing)
        if await self._hasten_anew(rows, now):
            rows = await self._db.read(circuits.standing)
        open_now = self._circuits.closed(rows, self._lines.ways, now)
        self._metrics.wikis.set(len(self._lines.ways))
        self._metrics.circuits_open.set(len(open_now))
        closed = open_now | self._places.busy | self._circuits.untried(rows, self._lines.ways, self._places)
        troubled = self._circuits.on_probation(rows, self._lines.ways)
        if self._places.probation_full:
            closed |= troubled
        if not await self._db.read(lambda connection: claims.is_due(connection, now, closed)):
            return None
        owed, more = await self._db.write(lambda connection: self._claim_wanted(connection, now, closed))
        if more:
            self.ring()
        if owed:
            self._places.take(owed.action.wiki, on_probation=owed.action.wiki in troubled)
        return owed

    async def _hasten_anew(self, rows: Rows, now: datetime) -> bool:
        """What waits for wikis that are reached otherwise than before falls due, once; False if none is."""
        anew, changed = frozenset(self._anew), self._circuits.changed(rows, self._lines.ways) - self._hastened
        if not anew and not changed:
            return False
        mended = [wiki for wiki in anew if wiki in rows and not rows[wiki].credential]

        def work(connection: sa.Connection) -> None:
            circuits.drop(connection, mended)
            for wiki in anew.union(wiki for wiki, _ in changed):
                outbox.hasten(connection, wiki, now)

        await self._db.write(work)
        self._anew -= anew
        self._hastened |= changed
        return True

    def _claim_wanted(
        self, connection: sa.Connection, now: datetime, closed: set[str]
    ) -> tuple[Owed | None, bool]:
        """Claim what the policy still wants: it is asked again before acting. And whether to look again."""
        for _ in range(OVERTAKEN):
            if not (owed := claims.claim(connection, now, now + claims.LEASE, closed)):
                return None, False
            policy = self._policies.get(owed.action.wiki)
            if policy is None:
                outbox.postpone(connection, owed, now + LONGEST_DELAY, NOT_CONFIGURED, now)
            elif policy.mode is Mode.SHADOW and not isinstance(owed.action, Restore):
                outbox.close(connection, owed, State.SHADOW, "the wiki is in shadow mode now", now)
            elif action := still_wanted(connection, owed, policy, now):
                return replace(owed, action=action), False
            else:
                outbox.close(connection, owed, State.OVERTAKEN, "the policy no longer wants it", now)
        return None, True

    async def _pay(self, owed: Owed) -> None:
        wiki, way = owed.action.wiki, self._lines.ways.get(owed.action.wiki)
        login = way.login if way else ""  # it may be another one, or none, when the call has ended
        lasting = asyncio.get_running_loop().call_later(PROMPT, self._step_aside, wiki)
        try:
            if not way:  # removed since it was claimed
                raise WikiUnavailable(NOT_CONFIGURED)
            outcome = await self._lines.call(owed.action, way, self._clock())
        except WikiRefused as error:
            await self._refused(owed, login, error)
        except (WikiUnavailable, WikiMisconfigured) as error:
            await self._wait(owed, login, error)
        except Exception as error:  # the adapter's fault; unheeded, it would recur with each lease
            report(log, "a wiki's adapter failed", error, wiki=wiki)
            await self._wait(owed, login, WikiUnavailable(f"the adapter failed: {type(error).__name__}"))
        else:
            await self._settle(owed, login, outcome)
        finally:
            lasting.cancel()
            self._places.leave(wiki)

    def _step_aside(self, wiki: str) -> None:
        self._places.step_aside(wiki)
        self.ring()

    async def _settle(self, owed: Owed, login: str, outcome: Outcome) -> None:
        """Book the answer; if the wiki is back after an outage, what waits for it falls due now."""
        now = self._clock()
        forget = _forget(owed.action, outcome, now)
        answered = self._answered(owed.action.wiki, login)

        def work(connection: sa.Connection) -> None:
            outbox.settle(connection, owed, outcome, forget, now)
            if answered(connection):
                outbox.hasten(connection, owed.action.wiki, now)

        await self._db.write(work)
        whose = {"group": outcome.group} if outcome.group else {}
        self._tell(owed, "done", effect=str(outcome.effect), **whose)

    async def _refused(self, owed: Owed, login: str, error: WikiRefused) -> None:
        """An answer, too: the wiki is well, and will never do this."""
        answered = self._answered(owed.action.wiki, login)
        await self._bury(owed, str(error), answered)

    def _answered(self, wiki: str, login: str) -> Callable[[sa.Connection], bool]:
        """The wiki is well; what is to be written says if it had been down."""
        now, proven = self._clock(), self._circuits.learn(wiki, login, None)
        return lambda connection: self._circuits.answered(connection, wiki, login, now, proven=proven)

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
            log.error("wiki misconfigured", wiki=wiki, action=owed.id, why=str(error))
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
        about = {"action": owed.id, "wiki": owed.action.wiki, "user": owed.action.user_id}
        log.info("action", what=what, attempts=owed.attempts, **about, **facts)

    def close(self) -> None:
        """Waits for the calls that are under way."""
        self._lines.close()


def _forget(action: Action, outcome: Outcome, now: datetime) -> datetime | None:
    """Mail sent up to then counts no more: the wiki acted, would not act, or the user confirmed since."""
    if not isinstance(action, Warn | Unconfirm) or outcome.effect is Effect.WARNED:
        return None
    return outcome.confirmed_at if outcome.effect is Effect.CHANGED and outcome.confirmed_at else now

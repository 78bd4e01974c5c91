"""The one way to the wikis: who may be called now, and what each call says of its wiki.

Knows lines, circuits and places, and that what waits falls due when a wiki is well again. Does not know what
is owed (dispatch.py) or asked (identity.py).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
import structlog

from sidecar.domain.vitals import Ailment
from sidecar.domain.wiki import Wiki, WikiError, WikiMisconfigured, WikiRefused, WikiUnavailable
from sidecar.services.circuit import FORGOTTEN, Circuits, Pauses, Rows, lasts
from sidecar.services.lines import Lines, Way
from sidecar.services.places import PROMPT, Places
from sidecar.storage import circuits, outbox
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics, report

__all__ = ["NOT_CONFIGURED", "Calls"]

log = structlog.get_logger()

R = TypeVar("R")

#: What a call is counted as that ended so.
ENDS: Mapping[type[WikiError], str] = {
    WikiRefused: "refused",
    WikiUnavailable: "unavailable",
    WikiMisconfigured: "misconfigured",
}

NOT_CONFIGURED = "the wiki is not configured"


class Calls:
    """To each wiki one at a time; ``ask`` is for whoever owes nothing."""

    def __init__(
        self,
        database: Database,
        lines: Lines,
        clock: Callable[[], datetime],
        pauses: Pauses,
        metrics: Metrics,
        ring: Callable[[], None],  #: called when there is room for another call
    ) -> None:
        self._db, self._lines, self._clock = database, lines, clock
        self.circuits, self.places = Circuits(pauses), Places()
        self._seconds, self._ring = metrics.wiki_call_seconds, ring
        self._hastened: set[tuple[str, str]] = set()
        self._anew: set[str] = set()  # reached otherwise than before: what waits for them falls due
        self._reloaded = False  # somebody may have mended a wiki: those in trouble are tried at once

    def use(self, ways: Mapping[str, Way]) -> None:
        """From now on these; who is reached anew, or was in trouble, gets a fresh try.

        Not so who has refused a login, unless with another one: tries are counted there.
        """
        self._reloaded = True
        self._anew |= {wiki for wiki in ways if ways[wiki] != self._lines.ways.get(wiki)}
        self._lines.use(ways)

    async def closed(self, now: datetime) -> set[str]:
        """Wikis that are being called, or left alone; all of them if there is no room for another call."""
        closed, _ = await self.standing(now)
        return closed if self.places.free else set(self._lines.ways)

    async def ask(self, wiki: str, question: Callable[[Wiki], R]) -> R:
        """Call a wiki for another purpose, while nothing else calls it. Raises what the wiki raises."""
        way = self._lines.ways.get(wiki)
        if not way:
            raise WikiUnavailable(NOT_CONFIGURED)
        now, login = self._clock(), way.login
        _, troubled = await self.standing(now)
        lasting = asyncio.get_running_loop().call_later(PROMPT, self.step_aside, wiki)
        self.places.take(wiki, on_probation=wiki in troubled)
        try:
            answer = await self.put(wiki, question, way)
        except (WikiUnavailable, WikiMisconfigured) as error:
            self.circuits.learn(wiki, login, error)
            trouble: WikiError = error
            await self._db.write(lambda c: self.circuits.failed(c, wiki, login, trouble, now))
            raise
        finally:
            lasting.cancel()
            self.places.leave(wiki)
        answered = self.answered(wiki, login)

        def work(connection: sa.Connection) -> None:
            if answered(connection):
                outbox.hasten(connection, wiki, self._clock())

        await self._db.write(work)
        return answer

    async def put(self, wiki: str, question: Callable[[Wiki], R], way: Way) -> R:
        """Put *question* to a wiki. Raises what the wiki raises, and nothing that is not foreseen."""
        began, end = time.perf_counter(), "unavailable"
        try:
            answer = await self._lines.call(wiki, question, way, self._clock())
            end = "ok"
        except WikiError as error:
            end = next(end for kind, end in ENDS.items() if isinstance(error, kind))
            raise
        except Exception as error:  # the adapter's fault; unheeded, it would recur with each lease
            report(log, "a wiki's adapter failed", error, wiki=wiki)
            raise WikiUnavailable(f"the adapter failed: {type(error).__name__}") from error
        finally:
            self._seconds.labels(end).observe(time.perf_counter() - began)
        return answer

    async def standing(self, now: datetime) -> tuple[set[str], set[str]]:
        """Which wikis are not called now, and which have not been well lately."""
        rows = await self._db.read(circuits.standing)
        if await self._hasten_anew(rows, now):
            rows = await self._db.read(circuits.standing)
        open_now = self.circuits.closed(rows, self._lines.ways, now)
        closed = open_now | self.places.busy | self.circuits.untried(rows, self._lines.ways, self.places)
        troubled = self.circuits.on_probation(rows, self._lines.ways)
        if self.places.probation_full:
            closed |= troubled
        return closed, troubled

    def logins(self) -> Mapping[str, str]:
        """The wikis of now, each with the fingerprint of what it is called with."""
        return {wiki: way.login for wiki, way in self._lines.ways.items()}

    def in_trouble(self, rows: Rows, now: datetime) -> tuple[set[str], dict[str, str]]:
        """The wikis that are left alone now; and all that failed the last time, lately, each with why.

        Also for a node that calls none: it has no logins, and what others met is in the *rows*.
        """
        ways = self._lines.ways
        met = {wiki: row for wiki, row in rows.items() if wiki in ways and now - row.changed <= FORGOTTEN}
        alone = self.circuits.closed(rows, ways, now)
        alone |= {wiki for wiki, row in met.items() if lasts(row, now)}
        found: dict[str, str] = dict.fromkeys(
            alone, Ailment.LOGIN
        )  # that it shares with others, unless it has a row
        found |= {wiki: row.trouble or Ailment.UNAVAILABLE for wiki, row in met.items()}
        return alone, found

    async def _hasten_anew(self, rows: Rows, now: datetime) -> bool:
        """What waits for wikis that get a fresh try falls due, once; False if there is none."""
        anew, changed = frozenset(self._anew), self.circuits.changed(rows, self._lines.ways) - self._hastened
        troubled = {wiki for wiki in self._lines.ways if wiki in rows and not rows[wiki].credential}
        again = troubled - anew if self._reloaded else set()
        self._reloaded = False
        if not anew and not changed and not again:
            return False

        def work(connection: sa.Connection) -> None:
            circuits.drop(connection, troubled & anew)
            circuits.open_now(connection, again, now)
            for wiki in anew.union(again, (wiki for wiki, _ in changed)):
                outbox.hasten(connection, wiki, now)

        await self._db.write(work)
        self._anew -= anew
        self._hastened |= changed
        return True

    def step_aside(self, wiki: str) -> None:
        self.places.step_aside(wiki)
        self._ring()

    def answered(self, wiki: str, login: str) -> Callable[[sa.Connection], bool]:
        """The wiki is well; what is to be written says if it had been down."""
        now, proven = self._clock(), self.circuits.learn(wiki, login, None)
        return lambda connection: self.circuits.answered(connection, wiki, login, now, proven=proven)

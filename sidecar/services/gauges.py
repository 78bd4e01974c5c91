"""The gauges: what is wrong, how much waits for a person and for the wikis, and since when.

Knows when to look. Looks rather than counts along, because operators' commands change it too, and other nodes
do; so each node shows the same of what they share, and a restart forgets nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.remedies import SEVERITIES
from sidecar.domain.vitals import Vitals
from sidecar.services.calls import Calls
from sidecar.services.circuit import Rows
from sidecar.services.rounds import rounds
from sidecar.services.vitals import Findings, Watchman
from sidecar.storage import actions, circuits
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics

__all__ = ["Gauges"]

EVERY = 15.0  # seconds; what Prometheus is usually told to ask at
NAMED = 100  # wikis in trouble with a series of their own: if it is all of a thousand, it is not the wikis


@dataclass(frozen=True)
class Waiting:
    """What the history says besides the signs of life."""

    oldest_due: datetime | None
    circuits: Rows


class Gauges:
    def __init__(self, database: Database, metrics: Metrics, watchman: Watchman, calls: Calls) -> None:
        self._db, self._metrics, self._watchman, self._calls = database, metrics, watchman, calls
        self._named: set[tuple[str, str]] = set()  # wikis that have a series now, with why
        self._trouble = {kind: metrics.trouble.labels(kind, SEVERITIES[kind]) for kind in SEVERITIES}

    async def run(self) -> None:
        """For ever. A round that fails is logged."""
        await rounds("gauges failed", self.round, EVERY)

    async def round(self) -> None:
        """Look once: also, by trying, whether a database in trouble is well again: nobody else may write."""
        findings = await self._watchman.look()
        self._judge(findings)
        now = findings.vitals.at
        waiting = await self._db.read(lambda connection: _look(connection, now))
        self._show(findings.vitals, waiting, now)
        self._metrics.looked.set(now.timestamp())

    def _judge(self, findings: Findings) -> None:
        """What is wrong, and the signs of life; of what cannot be read, the last ones stay."""
        vitals, found = findings.vitals, {trouble.kind for trouble in findings.troubles}
        unread = vitals.database and not vitals.nodes
        for kind, gauge in self._trouble.items():
            if kind in found or not unread:
                gauge.set(kind in found)
        metrics = self._metrics
        times = (
            (metrics.last_signed, vitals.signed),
            (metrics.last_notice, vitals.noticed),
            (metrics.last_action, vitals.acted),
        )
        for gauge, time in times:
            if time:
                gauge.set(time.timestamp())

    def _show(self, vitals: Vitals, waiting: Waiting, now: datetime) -> None:
        metrics, due = self._metrics, waiting.oldest_due
        metrics.set_aside_waiting.set(vitals.aside)
        metrics.brakes_tripped.set(len(vitals.brakes))
        metrics.outbox_waiting.set(vitals.outbox.waiting)
        metrics.oldest_due.set((now - due).total_seconds() if due else 0)
        alone, troubled = self._calls.in_trouble(waiting.circuits, now)
        metrics.wikis.set(len(self._calls.logins()))
        metrics.circuits_open.set(len(alone))
        self._name(sorted(troubled.items())[:NAMED])

    def _name(self, troubled: Iterable[tuple[str, str]]) -> None:
        """A series for each of these; the others go. One that stays is never gone between."""
        named = set(troubled)
        for wiki, why in self._named - named:
            self._metrics.wiki_trouble.remove(wiki, why)
        for wiki, why in named:
            self._metrics.wiki_trouble.labels(wiki, why).set(1)
        self._named = named


def _look(connection: sa.Connection, now: datetime) -> Waiting:
    return Waiting(actions.oldest_due(connection, now), circuits.standing(connection))

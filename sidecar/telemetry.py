"""Every metric, with what to do when it moves; and how an error that nobody foresaw is told in the log.

Knows what the metrics are called, and how much of an error may be told. Does not know when something counts,
nor how a line looks (journal.py). No mail address is ever logged above debug, and no secret at all: only ids,
categories and the wiki's own words.
"""

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

__all__ = ["METRICS", "SPATE", "Metrics", "Spate", "Tellable", "already_told", "report"]

OURS = str(Path(__file__).parent)


class Tellable(Exception):
    """An error whose words are for operators, and quote nothing that may not be logged."""


#: What it counts, and what to do when it moves.
METRICS = {
    "notices": "Mails that came to a return path and were booked, by receipt and by kind. "
    "None for a day while the wiki sends mail: the mail server does not deliver here; look at its queue.",
    "bounces": "Failures that were booked, by category and by whether they count. "
    "Many of one soft category: a provider refuses the wiki's mail; see `history`, and mend the sending.",
    "set_aside_waiting": "Mails that nobody understood and that wait for a person. "
    "Not 0: read `aside list`, write a rule or configure the wiki, then `aside reread`.",
    "refused": "Envelope recipients that were refused at RCPT or over HTTP, by receipt. Many forged: "
    "forgers, or a key was removed too early. Many too late: the mail server's queue lives longer than "
    "accept_days.",
    "actions": "How calls to the wikis ended, by result. Many postponed: a wiki is in trouble. "
    "Any misconfigured or dead: the log names the wiki and the remedy.",
    "inquiries": "Questions to the wikis to whom an account belongs, by answer: person, local, or none. "
    "Many none: what is owed waits until the wiki has answered; the log names the wiki and why.",
    "outbox_waiting": "Actions that are owed to the wikis. "
    "Growing for hours: a wiki is down or misconfigured; see `outbox`.",
    "brakes_tripped": "Brakes that hold actions back. Not 0: too many users failed at once; "
    "`brake list` says whose, then `brake release` or `brake discard`.",
    "return_paths": "Return paths that the wikis asked for, by result. None issued while the wiki sends "
    "mail: its hook does not reach the socket. Any refused: the wiki's debug log says why.",
    "events": "Events of Amazon SES that came through SNS, by type; booked or with nothing to book. "
    "Bounces stay away while deliveries come: the topic does not get them; see the set-up in http.md.",
    "sends": "Mails signed for users with an open streak, by whether they were noted; and everybody's that "
    "were told to another node. Any lost: proofs that mail arrives are missing; the database, or that node, "
    "was slow or down, see the log.",
    "database_up": "Whether the database did its part the last time: 1 or 0. 0 for minutes: bounces wait in "
    "the mail server's queue and nothing is lost; the log says why, and /readyz does.",
    "database_errors": "Transactions that failed for the database's sake, after all tries. Some, now and "
    "then: it was restarted. Many: look at its log and at max_connections.",
    "watched_users": "Users with an open streak, whose mails are noted. "
    "Growing fast: many addresses fail; see `history` of some of them.",
    "wikis": "Wikis that are known: configured, and of the sitematrix. "
    "Falls: `wikis list` says which are left, `wikis refresh` why.",
    "circuits_open": "Wikis that are left alone for seconds to minutes, because they are down or refuse the "
    "login. Not 0 for long: `wikis list --trouble` says which and why; 0 where nothing is owed to them.",
    "canary_rounds": "Bounces that we sent to ourselves, by result: returned, late ones too; lost; or "
    "failed: they did not even leave. Any lost or failed: the mail server does not bring bounces here; see "
    "`status`.",
    "canary_seconds": "How long the last of them that came back was under way. "
    "Growing: the mail server is slow; look at its queue.",
    "reloads": "Times that the configuration was read again, by result. "
    "Refused: all is as before; `check-config` says what is wrong with it.",
}


class Spate:
    """What is said again and again: so many lines a minute of each kind, and then how many were left out."""

    MOST = 5  # lines
    MINUTE = 60.0  # seconds

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}  # since when, and how many

    def left_out(self, kind: tuple[str, str]) -> int | None:
        """How many of this *kind* were left out before this one; None if it is left out itself."""
        now = self._clock()
        since, said = self._said.get(kind, (now, 0))
        if now - since >= self.MINUTE:
            self._said[kind] = now, 1
            return max(0, said - self.MOST)
        self._said[kind] = since, said + 1
        return 0 if said < self.MOST else None

    def clear(self) -> None:
        """Say everything again."""
        self._said.clear()


SPATE = Spate()
_TOLD = "bounce_sidecar_told"


def already_told(error: BaseException) -> None:
    """A line says what is behind *error* until it is over; whoever it hinders need not say so again."""
    error.__dict__[_TOLD] = True


def report(log: Any, event: str, error: BaseException, **about: object) -> None:
    """One error line of what nobody foresaw: its kind, and where in our code; the rest at debug.

    In an outage of a minute a thousand mails fail alike: a few lines say so, and then one how many more. What
    the database is behind, it has told itself (storage/health.py).

    An exception's words may quote a mail address, and are left to debug. Those of the database's driver
    ("database or disk is full") quote no row, and are what an operator needs.
    """
    if _TOLD in error.__dict__:
        log.debug(event, exc_info=error, **about)
        return
    left_out = SPATE.left_out((event, type(error).__name__))
    if left_out is not None:
        about |= {"left_out": left_out} if left_out else {}
        log.error(event, error=type(error).__name__, place=_place(error), **_said(error), **about)
    log.debug(event, exc_info=error)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(OURS)] or list(frames)
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""


def _said(error: BaseException) -> dict[str, str]:
    plain = error if isinstance(error, Tellable) else getattr(error, "orig", None)  # SQLAlchemy's word for it
    return {"why": str(plain)} if isinstance(plain, Exception) else {}


class Metrics:
    """What is counted, in a registry of its own. Counted after the commit, so that a 451 counts nothing."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.notices = self._counter("notices", "receipt", "kind")
        self.bounces = self._counter("bounces", "category", "hard")
        self.set_aside_waiting = self._gauge("set_aside_waiting")
        self.refused = self._counter("refused", "receipt")
        self.actions = self._counter("actions", "result")
        self.inquiries = self._counter("inquiries", "answer")
        self.outbox_waiting = self._gauge("outbox_waiting")
        self.brakes_tripped = self._gauge("brakes_tripped")
        self.return_paths = self._counter("return_paths", "result")
        self.events = self._counter("events", "type")
        self.sends = self._counter("sends", "result")
        self.watched_users = self._gauge("watched_users")
        self.wikis = self._gauge("wikis")
        self.circuits_open = self._gauge("circuits_open")
        self.canary_rounds = self._counter("canary_rounds", "result")
        self.canary_seconds = self._gauge("canary_seconds")
        self.reloads = self._counter("reloads", "result")
        self.database_up = self._gauge("database_up")
        self.database_errors = self._counter("database_errors")
        for result in ("issued", "refused"):
            self.return_paths.labels(result)
        for answer in ("person", "local", "none"):
            self.inquiries.labels(answer)
        for result in ("noted", "told", "lost"):
            self.sends.labels(result)
        for result in ("returned", "lost", "failed"):
            self.canary_rounds.labels(result)
        for result in ("loaded", "refused"):
            self.reloads.labels(result)

    def _counter(self, name: str, *labels: str) -> Counter:
        return Counter(f"bounce_sidecar_{name}", METRICS[name], labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(f"bounce_sidecar_{name}", METRICS[name], registry=self.registry)

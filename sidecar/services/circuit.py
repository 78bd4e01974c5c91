"""Circuits: a wiki that is in trouble is left alone for a while.

Knows how long. Does not know wikis. Without it, a thousand waiting actions would each try a wiki that is
down, and a wrong password would lock the account (MediaWiki refuses even the right one after five tries
in five minutes).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.domain.wiki import WikiError, WikiMisconfigured, WikiUnavailable

__all__ = ["OUTAGE", "Circuits", "Pauses"]


OUTAGE = 3  # failures in a row: the wiki, not one user's row that it cannot save


@dataclass(frozen=True)
class Pauses:
    """How long a wiki is left alone."""

    first: timedelta = timedelta(seconds=5)  #: after one failure; doubles with each that follows
    longest: timedelta = timedelta(minutes=5)
    misconfigured: timedelta = timedelta(minutes=5)  #: $wgPasswordAttemptThrottle counts 5 in 300 s


class Circuits:
    """Which wikis are left alone, and until when. In memory: after a restart each gets a fresh try."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._failures: dict[str, int] = {}
        self._until: dict[str, datetime] = {}

    def open(self, now: datetime) -> set[str]:
        """The wikis that are left alone now."""
        return {wiki for wiki, until in self._until.items() if until > now}

    def failed(self, wiki: str, error: WikiError, now: datetime) -> timedelta:
        """Leave it alone; returns for how long."""
        failures = self._failures[wiki] = self._failures.get(wiki, 0) + 1
        pause = min(self._pauses.first * (1 << min(failures - 1, 20)), self._pauses.longest)
        if isinstance(error, WikiMisconfigured):
            pause = self._pauses.misconfigured
        if isinstance(error, WikiUnavailable) and error.retry_after:
            pause = max(pause, min(timedelta(seconds=error.retry_after), self._pauses.longest))
        self._until[wiki] = now + pause
        return pause

    def answered(self, wiki: str) -> bool:
        """It is well; True if it had been down (OUTAGE failures in a row)."""
        self._until.pop(wiki, None)
        return self._failures.pop(wiki, 0) >= OUTAGE

"""How an error that nobody foresaw is told in the log; and the metrics, whose names metrics.py knows.

Knows how much of an error may be told. Does not know when something counts, nor how a line looks
(journal.py). No mail address is ever logged above debug, and no secret at all: only ids, categories and the
wiki's own words.
"""

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sidecar.metrics import METRICS, Door, Metrics

__all__ = ["METRICS", "SPATE", "Door", "Metrics", "Spate", "Tellable", "already_told", "report"]

OURS = str(Path(__file__).parent)


class Tellable(Exception):
    """An error whose words are for operators, and quote nothing that may not be logged."""


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

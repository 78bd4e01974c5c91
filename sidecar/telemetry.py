"""The log line, one a notice and one a call to a wiki; and the metrics, whose names metrics.py knows.

Knows how a line looks on a terminal and in a journal. Does not know what is worth a line or when something
counts. No mail address is ever logged above debug, and no secret at all: only ids, categories and the wiki's
own words.
"""

import contextlib
import logging
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, cast

import structlog

from sidecar.metrics import METRICS, Door, Metrics

__all__ = ["METRICS", "SPATE", "Door", "Metrics", "Spate", "Tellable", "configure_logging", "report"]

OURS = str(Path(__file__).parent)


class Tellable(Exception):
    """An error whose words are for operators, and quote nothing that may not be logged."""


def configure_logging(level: str, style: str) -> None:
    """Log to standard error. *style*: "console", "keyvalue", "json", or "auto" (console on a terminal)."""
    if style == "auto":
        style = "console" if sys.stderr.isatty() else "keyvalue"
    renderers: dict[str, structlog.typing.Processor] = {
        "console": structlog.dev.ConsoleRenderer(),
        "keyvalue": structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        "json": structlog.processors.JSONRenderer(sort_keys=True),
    }
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if style == "console" else [structlog.processors.format_exc_info]),
            renderers[style],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,
    )


class _Unfailing:
    """A stream that a line may be lost on: what is booked is answered, though the log's disk is full or its
    reader gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


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


def report(log: Any, event: str, error: BaseException, **about: object) -> None:
    """One error line of what nobody foresaw: its kind, and where in our code; the rest at debug.

    In an outage of a minute a thousand mails fail alike: a few lines say so, and then one how many more.

    An exception's words may quote a mail address, and are left to debug. Those of the database's driver
    ("database or disk is full") quote no row, and are what an operator needs.
    """
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

"""The log line: one a notice, one a call to a wiki.

Knows how a line looks on a terminal and in a journal. Does not know what is worth a line. No mail address
is ever logged above debug, and no secret at all: only ids, categories and the wiki's own words.
"""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import structlog

__all__ = ["Tellable", "configure_logging", "report"]

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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def report(log: Any, event: str, error: BaseException, **about: object) -> None:
    """One error line of what nobody foresaw: its kind, and where in our code; the rest at debug.

    An exception's words may quote a mail address, and are left to debug. Those of the database's driver
    ("database or disk is full") quote no row, and are what an operator needs.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(OURS)] or list(frames)
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    plain = error if isinstance(error, Tellable) else getattr(error, "orig", None)  # SQLAlchemy's word for it
    said = {"why": str(plain)} if isinstance(plain, Exception) else {}
    log.error(event, error=type(error).__name__, place=place, **said, **about)
    log.debug(event, exc_info=error)

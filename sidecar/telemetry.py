"""The log line: one a notice, one a call to a wiki.

Knows how a line looks on a terminal and in a journal. Does not know what is worth a line. No mail address
is ever logged above debug, and no secret at all: only ids, categories and the wiki's own words.
"""

import logging
import sys

import structlog

__all__ = ["configure_logging"]


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

"""How a line of the log looks: for a person at a terminal, as ECS for machines, or as key=value.

Knows structlog, the Elastic Common Schema (ECS), and what libraries say by themselves. Does not know what is
worth a line. docs/operating.md tells which of our facts becomes which field.
"""

import logging
import socket
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TextIO, cast

import ecs_logging
import structlog

from sidecar import __version__
from sidecar.domain.harmless import harmless
from sidecar.domain.wording import without_addresses
from sidecar.log_stream import LogStream
from sidecar.telemetry import SPATE, report

__all__ = ["configure_logging", "hear_libraries"]

log = structlog.get_logger()

NAMESPACE = "bounce_sidecar"  # what ECS has no field for; its own fields are never mixed with ours
LONGEST = 4000  # characters of one fact; journald breaks lines of more than 48 KB (LineMax)

Line = structlog.typing.EventDict
Fact = str | int | float | bool


def configure_logging(level: str, style: str, node: str = "") -> None:
    """Log to standard error. *style*: "console", "keyvalue", "json" (ECS), or "auto": console on a terminal,
    else ECS. *node*: this one's name; "" where it is called as the host is.
    """
    terminal, stream = sys.stderr.isatty(), LogStream(sys.stderr)
    if style == "auto":
        style = "console" if terminal else "json"
    # Exceptions are told without local variables, among which are keys and passwords.
    plain = structlog.dev.plain_traceback
    styles: dict[str, list[structlog.typing.Processor]] = {
        "console": [_tame, structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=plain)],
        "keyvalue": [
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        "json": [structlog.processors.format_exc_info, Ecs(node)],
    }
    stamped: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[_telling_of(stream), _discreet, *([] if style == "json" else stamped), *styles[style]],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, stream)),
        cache_logger_on_first_use=False,
    )


def _telling_of(stream: LogStream) -> structlog.typing.Processor:
    """The line after others that were lost says how many."""

    def tell(_logger: object, _level: str, line: Line) -> Line:
        if lost := stream.take_lost():
            line["lines_lost"] = lost
        return line

    return tell


def _discreet(_logger: object, level: str, line: Line) -> Line:
    """The reason is often a stranger's words, a wiki's or a server's: they may quote whom they speak of."""
    if level != "debug" and isinstance(why := line.get("why"), str):
        line["why"] = without_addresses(why)
    return line


def _tame(_logger: object, _level: str, line: Line) -> Line:
    """Words of strangers do nothing to a terminal, and begin no line; other styles spell them anyway."""
    return {name: harmless(value) if isinstance(value, str) else value for name, value in line.items()}


class Ecs:
    """A line as ECS wants it; Elastic's library stamps it with the time and writes it on one line.

    The library raises where a field is a value here and a group of fields there, so all of ours are flat.
    """

    def __init__(self, node: str) -> None:
        self._written = ecs_logging.StructlogFormatter()
        self._service = {
            "service.name": "bounce-sidecar",
            "service.version": __version__,
            "service.node.name": node or socket.gethostname(),
        }

    def __call__(self, _logger: object, level: str, line: Line) -> str:
        event = str(line.pop("event"))
        told: dict[str, object] = {"event": event, **self._service}
        told |= {"event.kind": "event", "event.action": event.replace(" ", "-")}
        if outcome := _outcome(event, level, line):
            told["event.outcome"] = outcome
        if "exception" in line:
            told["exception"] = str(line.pop("exception"))[-LONGEST:]
        if "why" in line:
            told["error.message" if "error" in line else "event.reason"] = _fact(line.pop("why"))
        if "error" in line:
            told["error.type"] = line.pop("error")
        if place := line.pop("place", ""):
            name, _, number = str(place).partition(":")
            told |= {"log.origin.file.name": name, "log.origin.file.line": int(number)}
        if line:
            told[NAMESPACE] = {name.replace(".", "_"): _field(value) for name, value in line.items()}
        return self._written(None, level, told)


def _outcome(event: str, level: str, line: Line) -> str:
    """What ECS calls success or failure; "" where neither makes sense."""
    if level in ("error", "critical") or event == "refused" or line.get("what") in ("postponed", "dead"):
        return "failure"
    return "success" if "receipt" in line or line.get("what") == "done" else ""


def _field(value: object) -> Fact | list[Fact]:
    """One type for each field, whatever a wiki is called: names never become fields."""
    if isinstance(value, Mapping):
        return [f"{name}={_fact(one)}" for name, one in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [_fact(one) for one in value]
    return _fact(value)


def _fact(value: object) -> Fact:
    if isinstance(value, bool | int | float):
        return value
    return (value.isoformat() if isinstance(value, datetime) else str(value))[:LONGEST]


def hear_libraries() -> None:
    """From now on, what libraries say by themselves is a line like any other. Repeatable."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries())
    logging.captureWarnings(True)


class _Libraries(logging.Handler):
    """Warnings and errors of the standard library's logging. Who said it and where; the words may quote
    anything, and are left to debug. Their own debug lines are left out: some of them tell secrets.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error:
            report(log, "a library failed", error, library=record.name)
            return
        if SPATE.left_out(("a library warns", record.name)) is not None:
            log.warning("a library warns", library=record.name, place=f"{record.filename}:{record.lineno}")
        log.debug("a library warns", library=record.name, words=record.getMessage())

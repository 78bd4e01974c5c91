"""What must be so of any octets: they are read and judged, soon, in little memory, into clean values.

Knows the promises of the domain. Does not know where a mail comes from.
"""

import re
import tracemalloc
from dataclasses import dataclass
from time import thread_time

from sidecar.domain import notice
from sidecar.domain.dsn import MAX_REPORTS
from sidecar.domain.notice import Kind, Notice
from sidecar.domain.report import Report, ReportAction
from sidecar.edges.rule_files import built_in
from tests.support.endless import Broken, interrupted

__all__ = ["MAX_MEMORY", "MAX_SECONDS", "Broken", "Examined", "examine", "memory"]

MAX_SECONDS = 1.0  #: of a processor, for one mail
MAX_MEMORY = 12 * 2**20  #: octets that any mail may take, on top of MAX_TIMES its size
MAX_TIMES = 16
ENDLESS = 10.0  # seconds of a processor; then it is interrupted
_MAX_STRING = 8192  # characters of any value that a mail fills

_BOOK = built_in()
_REPORTED = (Kind.BOUNCE, Kind.DELAYED, Kind.SUCCESS)
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}|")
_REPLY = re.compile(r"[245][0-5][0-9]|")


@dataclass(frozen=True)
class Examined:
    """What came of a mail."""

    kind: str
    hard: str  #: the rule by which a recipient would count; "" if none would
    seconds: float  #: of a processor


def examine(raw: bytes) -> Examined:
    """Read and judge *raw*. Raises Broken, or what the domain raised. To be called in a main thread."""
    started = thread_time()
    with interrupted(ENDLESS):
        told = notice.read(raw)
        verdicts = [_BOOK.judge(report) for report in told.reports]
    seconds = thread_time() - started
    _check(told)
    for report, verdict in zip(told.reports, verdicts, strict=True):
        if verdict.hard and report.action not in (ReportAction.FAILED, ReportAction.UNSTATED):
            raise Broken(f"hard, though {report.action}")
    if seconds > MAX_SECONDS:
        raise Broken(f"{seconds:.1f} s for {len(raw)} octets")
    return Examined(told.kind, next((one.rule for one in verdicts if one.hard), ""), seconds)


def memory(raw: bytes) -> int:
    """Octets that reading and judging *raw* took at most at once. Raises Broken; slow."""
    tracemalloc.start()
    try:
        for report in notice.read(raw).reports:
            _BOOK.judge(report)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > MAX_TIMES * len(raw) + MAX_MEMORY:
        raise Broken(f"{peak} octets of memory for a mail of {len(raw)}")
    return peak


def _check(told: Notice) -> None:
    if (told.kind in _REPORTED) != bool(told.reports):
        raise Broken(f"{told.kind} with {len(told.reports)} reports")
    if len(told.reports) > MAX_REPORTS:
        raise Broken(f"{len(told.reports)} reports")
    if told.date is not None and told.date.utcoffset() is None:
        raise Broken("a date without an offset")
    _check_text("message_id", told.message_id)
    for report in told.reports:
        _check_report(report)


def _check_report(report: Report) -> None:
    for name in ("address", "original", "status", "reply", "diagnostic", "remote_mta"):
        _check_text(name, getattr(report, name))
    if not _STATUS.fullmatch(report.status):
        raise Broken(f"status {report.status!r}")
    if not _REPLY.fullmatch(report.reply):
        raise Broken(f"reply {report.reply!r}")


def _check_text(name: str, text: str) -> None:
    """On one line, not endless, and fit for a database: a lone surrogate has no UTF-8."""
    if "\n" in text or "\r" in text:
        raise Broken(f"{name} holds a newline")
    if len(text) > _MAX_STRING:
        raise Broken(f"{name} of {len(text)} characters")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Broken(f"{name} holds a lone surrogate") from None

"""Any mail that comes back, read: what it is and what it says of whom.

Knows the order in which the forms are tried. Does not know the forms (see dsn, legacy, autoreply) nor what
a report means for the recipient (see classify).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from . import dsn, legacy
from .autoreply import is_auto_reply
from .mime import Part, parse
from .report import Report, ReportAction

__all__ = ["Kind", "Notice", "read"]

MAX_MESSAGE_ID = 998  #: characters; RFC 5322 section 2.1.1, a line


class Kind(StrEnum):
    """What a notice is as a whole. What counts is each report: a bounce may hold reports of success."""

    BOUNCE = "bounce"  #: at least one recipient failed
    DELAYED = "delayed"  #: nobody failed, for somebody the MTA is still trying
    SUCCESS = "success"  #: delivered, relayed or expanded, for everybody it speaks of
    AUTO_REPLY = "auto-reply"
    ORDINARY = "ordinary"  #: none of these, or not legible


@dataclass(frozen=True)
class Notice:
    """A mail that arrived at a return path. Reports are there for BOUNCE, DELAYED and SUCCESS only."""

    kind: Kind
    reports: tuple[Report, ...]
    message_id: str  #: as in the header, angle brackets included; "" without one
    date: datetime | None  #: aware, UTC; the Date header, None where absent or illegible


def read(raw: bytes) -> Notice:
    """Read *raw*, whatever it holds: never raises, and its work is a small multiple of the size."""
    message = parse(raw)
    reports = dsn.read(message) or legacy.read(message)
    return Notice(
        kind=_kind(message, reports),
        reports=reports,
        message_id=message.first("message-id")[:MAX_MESSAGE_ID],
        date=_date(message),
    )


def _kind(message: Part, reports: tuple[Report, ...]) -> Kind:
    if not reports:
        return Kind.AUTO_REPLY if is_auto_reply(message) else Kind.ORDINARY
    actions = {report.action for report in reports}
    if actions & {ReportAction.FAILED, ReportAction.UNSTATED}:
        return Kind.BOUNCE
    return Kind.DELAYED if ReportAction.DELAYED in actions else Kind.SUCCESS


def _date(message: Part) -> datetime | None:
    try:
        date = parsedate_to_datetime(message.first("date"))
        # RFC 5322 section 3.3: "-0000" says UTC, and nothing of where the sender is.
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

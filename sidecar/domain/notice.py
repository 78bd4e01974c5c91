"""Any mail that comes back, read: what it is and what it says of whom.

Knows the order in which the forms are tried. Does not know the forms (see dsn, legacy, feedback, autoreply)
nor what a report means for the recipient (see classify).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from . import dsn, legacy
from .autoreply import is_absence, is_auto_reply
from .evidence import Told, told
from .feedback import is_complaint, is_read_receipt
from .mime import Part, parse
from .report import Report, ReportAction
from .sender import is_answer
from .words import find_words

__all__ = ["Kind", "Notice", "date_of", "read"]

MAX_MESSAGE_ID = 998  #: characters; RFC 5322 section 2.1.1, a line


class Kind(StrEnum):
    """What a notice is as a whole. What counts is each report: a bounce may hold reports of success."""

    BOUNCE = "bounce"  #: at least one recipient failed
    DELAYED = "delayed"  #: nobody failed, for somebody the MTA is still trying
    SUCCESS = "success"  #: delivered, relayed or expanded, for everybody it speaks of
    COMPLAINT = "complaint"  #: RFC 5965: the provider's user called our mail spam
    READ_RECEIPT = "read-receipt"  #: RFC 8098
    CHALLENGE = "challenge"  #: asks for proof of a person before it delivers
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
    kind, reports = _read(message)
    return Notice(
        kind=kind,
        reports=reports,
        message_id=message.first("message-id")[:MAX_MESSAGE_ID],
        date=date_of(message),
    )


def _read(message: Part) -> tuple[Kind, tuple[Report, ...]]:
    if is_complaint(message):
        return Kind.COMPLAINT, ()
    # A report that is not the mail itself, in an answer or a forwarded mail, is what a person shows around.
    shown = is_answer(message) and message.content_type == "multipart/mixed"
    reports = () if shown else dsn.read(message)
    if reports:
        return _kind(reports), reports
    if is_read_receipt(message):
        return Kind.READ_RECEIPT, ()
    words = find_words(message)
    verdict = told(message, words.text)
    if verdict is Told.CHALLENGE:
        return Kind.CHALLENGE, ()
    if verdict is Told.NOTHING:
        answered = is_auto_reply(message) or is_absence(message, words.text)
        return Kind.AUTO_REPLY if answered else Kind.ORDINARY, ()
    reports = legacy.read(message, words, verdict)
    return _kind(reports), reports


def _kind(reports: tuple[Report, ...]) -> Kind:
    actions = {report.action for report in reports}
    if actions & {ReportAction.FAILED, ReportAction.UNSTATED}:
        return Kind.BOUNCE
    return Kind.DELAYED if ReportAction.DELAYED in actions else Kind.SUCCESS


def date_of(message: Part) -> datetime | None:
    """The Date header, aware, UTC; None where it is absent or illegible."""
    try:
        date = parsedate_to_datetime(message.first("date"))
        # RFC 5322 section 3.3: "-0000" says UTC, and nothing of where the sender is.
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

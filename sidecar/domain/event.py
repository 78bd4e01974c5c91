"""A mail provider's event, composed as the mail that a mail server would have sent: RFC 3464 for a failure,
RFC 5965 for a complaint, with the event itself as a further part.

Knows how such a mail is spelled, and that no word of an event may pass for anything but the value of its
field. Does not know any provider's events (see ses, event_form). The same event makes the same octets, hence
is a duplicate when it comes again.
"""

import base64
import hashlib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from .harmless import one_line
from .report import ReportAction

__all__ = ["MAX_ADDRESS", "MAX_DIAGNOSTIC", "MAX_RECIPIENTS", "Event", "Failure", "compose", "when"]

MAX_RECIPIENTS = 100  #: of one event, as dsn.MAX_REPORTS
MAX_ADDRESS = 320  #: characters; RFC 3696 erratum 1690 has 254, and 64 + 1 + 255 is what can be written
MAX_DIAGNOSTIC = 3500  #: characters; what is put behind one must not be cut off at dsn.MAX_DIAGNOSTIC
LINE = 200  #: characters before a field is folded; RFC 5322 section 2.1.1 allows 998 octets

_WORDS = (
    "This report was made from an event that a mail provider sent over HTTP. The event itself is attached.\n"
)


@dataclass(frozen=True)
class Failure:
    """What an event says of one recipient."""

    address: str
    action: ReportAction = ReportAction.FAILED  #: FAILED or DELAYED
    status: str = ""  #: enhanced status code, RFC 3463
    diagnostic: str = ""  #: with its type in front ("smtp; ..."), or without
    remote_mta: str = ""


@dataclass(frozen=True)
class Event:
    """One event about one mail of ours."""

    return_path: str  #: that the mail was sent with
    failures: tuple[Failure, ...]
    original: str  #: the event as JSON
    complaint: bool = False  #: no failure: the recipients called the mail spam
    reporter: str = ""  #: host that told it
    time: datetime | None = None  #: aware


def compose(event: Event) -> bytes:
    """The event as a mail to its return path. Pure; never raises for any text in it."""
    # Nobody can write the boundary into an event: it is a hash over all of it.
    seal = hashlib.sha256(repr(event).encode("utf-8", "backslashreplace")).hexdigest()[:40]
    kind = "feedback-report" if event.complaint else "delivery-status"
    status = "\n\n".join("\n".join(block) for block in _blocks(event))
    wide = "" if event.complaint or status.isascii() else "global-"  # RFC 6533
    header = [
        _field("From", "MAILER-DAEMON@" + (_ascii(event.reporter).replace(" ", "") or "localhost")),
        _field("To", _ascii(event.return_path)),
        "Subject: " + ("Complaint" if event.complaint else "Delivery Status Notification"),
        *([f"Date: {format_datetime(event.time)}"] if event.time else []),
        f"Message-ID: <{seal}@event.invalid>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={wide}{kind}; boundary="{seal}"',
    ]
    parts = [
        f"Content-Type: text/plain; charset=us-ascii\n\n{_WORDS}",
        f"Content-Type: message/{wide}{kind}\n"
        + ("Content-Transfer-Encoding: 8bit\n" if not status.isascii() else "")
        + f"\n{status}\n",
        'Content-Type: application/json\nContent-Disposition: attachment; filename="event.json"\n'
        f"Content-Transfer-Encoding: base64\n\n{_base64(event.original)}",
    ]
    body = "".join(f"--{seal}\n{part}\n" for part in parts)
    return ("\n".join(header) + f"\n\n{body}--{seal}--\n").encode()


def _blocks(event: Event) -> Iterator[list[str]]:
    """The groups of fields of the second part."""
    if event.complaint:
        yield [
            "Feedback-Type: abuse",
            "User-Agent: bounce-sidecar",
            "Version: 1",
            _field("Original-Mail-From", event.return_path),
            *(_field("Original-Rcpt-To", failure.address) for failure in event.failures),
        ]
        return
    yield [_field("Reporting-MTA", "dns; " + (event.reporter or "localhost"))]
    for failure in event.failures:
        yield list(_recipient(failure))


def _recipient(failure: Failure) -> Iterator[str]:
    kind = "rfc822" if failure.address.isascii() else "utf-8"
    yield _field("Final-Recipient", f"{kind}; {one_line(failure.address)[:MAX_ADDRESS]}")
    yield f"Action: {failure.action}"
    default = "4.0.0" if failure.action is ReportAction.DELAYED else "5.0.0"  # RFC 3464 wants one
    yield _field("Status", failure.status or default)
    if failure.remote_mta:
        yield _field("Remote-MTA", "dns; " + failure.remote_mta)
    if failure.diagnostic:
        yield _field("Diagnostic-Code", failure.diagnostic)


def when(text: str) -> datetime:
    """A time of ISO 8601, in UTC, which is also what it means if it does not say. Raises ValueError."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise ValueError("before the first or after the last year") from None


def _field(name: str, value: str) -> str:
    """A field, folded at blanks: what follows a line's end is always a blank and a word."""
    return textwrap.fill(
        f"{name}: {one_line(value)}",
        LINE,
        subsequent_indent=" ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _ascii(text: str) -> str:
    return one_line(text).encode("ascii", "backslashreplace").decode()


def _base64(text: str) -> str:
    return base64.encodebytes(text.encode("utf-8", "backslashreplace")).decode()

"""Amazon SES: what an event says, in both of its shapes (identity notifications and event publishing).

Knows the names of their fields. Does not know how they travel (see edges/sns.py), nor what a diagnostic
means: our own rules judge it. Of SES's judgement only the doubts are believed: what it calls transient is
made so that no rule can find it hard, and what it calls permanent is only as permanent as the words of the
remote server.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .dsn import trim_address
from .event import MAX_DIAGNOSTIC, MAX_RECIPIENTS, Event, Failure, when
from .harmless import one_line
from .json_text import NotJson, parse_object
from .report import ReportAction
from .status import find_status, is_vague

__all__ = ["NotUnderstood", "SesEvent", "parse"]

#: Put behind a diagnostic. The first two hold a word of veto-moment, so that no rule's match is hard; the
#: third is what the rule ses-suppressed knows.
TRANSIENT = "(temporary, says the provider)"
UNDETERMINED = "(temporary or not, the provider cannot tell)"
SUPPRESSED = "(on the suppression list)"
_SUPPRESSIONS = frozenset({"Suppressed", "OnAccountSuppressionList"})

_TYPED = re.compile(r"[A-Za-z0-9-]{1,40}\s*;")


class NotUnderstood(ValueError):
    """A bounce or a complaint, and not as Amazon documents it; the words name the field."""


@dataclass(frozen=True)
class SesEvent:
    """What came, and the event to be booked if there is one."""

    kind: str  #: as SES calls it in lower case: "bounce", "complaint", "delivery", ...; "" if it says nothing
    event: Event | None = None


def parse(message: str) -> SesEvent:
    """Read the Message of an SNS notification. Raises NotUnderstood.

    SES greets a new topic with a sentence that is no JSON: that, too, is nothing to book.
    """
    try:
        told = parse_object(message)
    except NotJson:
        return SesEvent("")
    kind = str(told.get("notificationType") or told.get("eventType") or "").lower()
    match kind:
        case "bounce":
            return SesEvent(kind, _bounce(told, message))
        case "complaint":
            return SesEvent(kind, _complaint(told, message))
    return SesEvent(kind)


def _bounce(told: Mapping[str, Any], message: str) -> Event:
    bounce = _mapping(told, "bounce")
    sort, subtype = str(bounce.get("bounceType", "")), str(bounce.get("bounceSubType", ""))
    remote = _text(bounce, "remoteMtaIp")
    failures = tuple(
        _failure(recipient, sort, subtype, f"[{remote}]" if remote else "")
        for recipient in _recipients(bounce, "bouncedRecipients")
    )
    reporter = _text(bounce, "reportingMTA").removeprefix("dns;").strip() or "amazonses.com"
    return Event(_source(told), failures, message, reporter=reporter, time=_time(bounce))


def _complaint(told: Mapping[str, Any], message: str) -> Event:
    complaint = _mapping(told, "complaint")
    failures = tuple(Failure(_address(one)) for one in _recipients(complaint, "complainedRecipients"))
    return Event(
        _source(told), failures, message, complaint=True, reporter="amazonses.com", time=_time(complaint)
    )


def _failure(recipient: Mapping[str, Any], sort: str, subtype: str, remote: str) -> Failure:
    words = one_line(_text(recipient, "diagnosticCode"))[:MAX_DIAGNOSTIC]
    status = find_status(_text(recipient, "status"), whole_field=True)
    permanent = sort == "Permanent"
    if not permanent and status:
        status = "4" + status[1:]
    if not words:
        # Without the remote server's words nothing is proven: of a permanent status the class is kept. An
        # answering machine's "bounce" is Transient and says nothing at all: nobody failed.
        action = ReportAction.FAILED if permanent or not is_vague(status) else ReportAction.DELAYED
        words = SUPPRESSED if permanent and subtype in _SUPPRESSIONS else ""
        kept = "5.0.0" if permanent else status
        return Failure(_address(recipient), action, kept, words and f"smtp; {words}", remote)
    if subtype in _SUPPRESSIONS:
        words += " " + SUPPRESSED
    if not permanent:
        words += " " + (TRANSIENT if sort == "Transient" else UNDETERMINED)
    typed = words if _TYPED.match(words) else f"smtp; {words}"
    return Failure(_address(recipient), ReportAction.FAILED, status, typed, remote)


def _source(told: Mapping[str, Any]) -> str:
    """The envelope sender that was given to SES."""
    source = _text(_mapping(told, "mail"), "source")
    if not source:
        raise NotUnderstood("mail.source is missing")
    return trim_address(source)


def _recipients(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = told.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise NotUnderstood(f"{name} must be a list of recipients")
    return found[:MAX_RECIPIENTS]


def _address(recipient: Mapping[str, Any]) -> str:
    written = _text(recipient, "emailAddress")
    address = trim_address(written) or one_line(written)
    if not address:
        raise NotUnderstood("emailAddress is missing")
    return address


def _mapping(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise NotUnderstood(f"{name} is missing")
    return found


def _text(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""


def _time(told: Mapping[str, Any]) -> datetime | None:
    try:
        return when(_text(told, "timestamp"))
    except ValueError:
        return None

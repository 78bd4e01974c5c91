"""Bounces that name their recipients in X-Failed-Recipients and explain themselves in words only.

Knows the form of Exims that wrote no delivery-status yet, and Gmail's old one, which copied the field.
Does not know what the words mean, and cuts the returned original off before reading any.
"""

import re

from .dsn import MAX_REPORTS, plain_words, trim_address
from .mime import Part, children, decode
from .prose import MAX_PROSE, reasons
from .report import Report, ReportAction
from .status import find_reply, find_status

__all__ = ["read"]

# Exim: "------ This is a copy of the message, including all the headers. ------" and its variants;
# Gmail: "----- Original message -----" and "----- Message header follows -----".
_ORIGINAL = re.compile(
    r"^-{3,}[ \t]*(?:This is a copy of|(?:Begin )?Original message|Message header|The body of the message)"
    r"|^(?:Return-path: <|Received: (?:from|by) )",
    re.IGNORECASE | re.MULTILINE,
)
_STILL_TRYING = re.compile(
    r"not yet been delivered|has(?: not)? been delayed|will be retried|will continue|not need to resend",
    re.IGNORECASE,
)


def read(message: Part) -> tuple[Report, ...]:
    """One report for each address of X-Failed-Recipients, at most MAX_REPORTS; none without that field."""
    names = ",".join(message.all("x-failed-recipients")).split(",")[:MAX_REPORTS]
    addresses = list(dict.fromkeys(address for name in names if "@" in (address := trim_address(name))))
    if not addresses:
        return ()
    words = _words(message)
    explained = reasons(words)
    action = ReportAction.DELAYED if _STILL_TRYING.search(words) else ReportAction.FAILED
    return tuple(
        _report(address, action, explained.get(address.lower()) or _below(words, address, len(addresses)))
        for address in addresses
    )


def _words(message: Part) -> str:
    parts = [part for part in children(message) if part.content_type == "text/plain"] or [message]
    text = decode(parts[0].content[:MAX_PROSE])
    original = _ORIGINAL.search(text)
    return text[: original.start()] if original else text


def _below(words: str, address: str, recipients: int) -> str:
    """Everything below the address: Gmail gave its details in a paragraph of their own.

    Only where there is one recipient, so that nobody gets another's reason.
    """
    place = words.lower().find(address.lower()) if recipients == 1 else -1
    return words[place + len(address) :] if place >= 0 else ""


def _report(address: str, action: ReportAction, reason: str) -> Report:
    diagnostic = plain_words(reason)
    return Report(
        address=address,
        action=action,
        status=find_status(diagnostic),
        reply=find_reply(diagnostic),
        diagnostic=diagnostic,
    )

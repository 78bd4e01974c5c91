"""What comes back from people's mail programs and providers and is no bounce: complaints (RFC 5965) and read
receipts (RFC 8098).

Knows the parts and subjects that say so. Does not know who complained, nor why.
"""

import re

from .evidence import Told, told
from .mime import Part
from .phrases import READ_SUBJECT
from .sender import subject_of
from .words import find_words

__all__ = ["is_complaint", "is_read_receipt"]

_REPORT_TYPE = re.compile(r"report-type\s*=\s*[\"']?([a-z-]+)", re.IGNORECASE)
_COMPLAINT = re.compile(r"complaint about message from|email abuse report|e-mail abuse report", re.IGNORECASE)
_REJECTED = re.compile(r"\breject|\brefus", re.IGNORECASE)


def is_complaint(message: Part) -> bool:
    """Whether a provider passes on that its user called our mail spam."""
    return _is_report(message, "feedback-report") or bool(_COMPLAINT.match(subject_of(message)))


def is_read_receipt(message: Part) -> bool:
    """Whether it says that a mail was opened or deleted.

    Sieve's "reject" (RFC 5429 section 2.2.1) comes in the same form, and is a bounce.
    """
    if not _is_report(message, "disposition-notification"):
        return subject_of(message).lower().startswith(READ_SUBJECT)
    words = find_words(message).text
    return not (_REJECTED.search(words) and told(message, words) is Told.FAILED)


def _is_report(message: Part, kind: str) -> bool:
    """Whether *message* is, or holds beside its words, a report of *kind*; "message/*kind*" is its part."""
    content_type = message.first("content-type")
    stated = _REPORT_TYPE.search(content_type)
    if stated and stated.group(1).lower() == kind:
        return True
    return any(part.content_type == f"message/{kind}" for part in (message, *message.children))

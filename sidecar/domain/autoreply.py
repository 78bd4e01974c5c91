"""Automatic answers to a mail (RFC 3834), such as absence notices.

Knows the fields that say so, and the subjects and words for those that set none. Does not know when anybody
will be back.
"""

import re

from .mime import Part
from .phrases import AWAY, VACATION
from .sender import is_automatic, is_from_mailer, subject_of

__all__ = ["is_absence", "is_auto_reply"]

MAX_AWAY = 1500  #: characters; an absence note says so at once

#: Fields that only automatic answers carry, whatever their value, unless it is "no".
_MARKS = ("x-autoreply", "x-auto-reply", "x-autorespond", "x-autoreply-from", "x-mail-autoreply")

_PRECEDENCE = re.compile(r"auto[_-]?reply\b", re.IGNORECASE)
_KEYWORD = re.compile(r"(?:\s|\([^()]*\))*([A-Za-z-]+)")

# Exchange and Domino write "auto-generated", or only ask for silence, and leave the rest to the subject.
_SUBJECT = re.compile(
    r"(?:auto|automatic reply|auto-?reply|out of office(?: autoreply)?)\s?:|.{0,80}\bis out of the office\b",
    re.IGNORECASE,
)


def is_auto_reply(message: Part) -> bool:
    """Whether a machine answered in a person's place.

    Not so: what a mailer wrote (Postfix and Exim mark bounces "auto-replied"), any multipart/report, and
    a mere X-Auto-Response-Suppress, which asks for silence and says nothing of the mail itself.
    """
    if message.content_type == "multipart/report" or is_from_mailer(message):
        return False
    found = _KEYWORD.match(message.first("auto-submitted"))
    submitted = found.group(1).lower() if found else ""
    if submitted == "no":  # RFC 3834 section 5: a person sent it
        return False
    # RFC 3834 section 5: "auto-generated" may well be a DSN, or a mail of another wiki.
    if submitted == "auto-replied":
        return True
    silence = submitted == "auto-generated" or message.first("x-auto-response-suppress")
    if silence and _SUBJECT.match(message.first("subject")):
        return True
    precedence = (message.first("precedence"), message.first("x-precedence"))
    if any(_PRECEDENCE.match(value) for value in precedence):
        return True
    return any(message.first(mark).lower() not in ("", "no") for mark in _MARKS)


def is_absence(message: Part, words: str) -> bool:
    """Whether subject, or sender and *words*, are those of an absence note that no field tells of."""
    if message.content_type == "multipart/report" or is_from_mailer(message):
        return False
    if subject_of(message).lower().startswith(VACATION):
        return True
    start = words[:MAX_AWAY].lower()
    return is_automatic(message) and any(phrase in start for phrase in AWAY)

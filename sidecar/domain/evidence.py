"""Whether a mail without fields for machines is a mail system's notice, by sender, subject and wording.

Knows how much evidence is enough. Does not know who failed (see freetext). First promise: what a person wrote
is no bounce, even if it quotes one.
"""

import re
from enum import StrEnum

from .autoreply import is_absence, is_auto_reply
from .mime import Part
from .phrases import CHALLENGE, DELIVERED, FAILURE, FAILURE_SUBJECT, STILL_TRYING
from .sender import is_answer, is_automatic, is_from_mailer, subject_of

__all__ = ["Told", "told"]

MAX_EVIDENCE = 6000  #: characters; a notice says what it is in its first page

_QUOTED = re.compile(r"\n[ \t]{0,8}>(?!>>)[^\n]*")
_DIGEST = re.compile(r"\bdigest\b[, ]|\bvol(?:ume)? \d+", re.IGNORECASE)


class Told(StrEnum):
    """What the words of a mail say of the mail that it is about."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    CHALLENGE = "challenge"
    NOTHING = "nothing"


def told(message: Part, text: str) -> Told:
    """What *text*, the words of *message* without the original, says. NOTHING for a person's mail."""
    subject = subject_of(message).lower()
    listed = "@" in message.first("x-failed-recipients")
    if (is_answer(message) and not listed) or _DIGEST.search(subject):
        return Told.NOTHING
    words = " ".join(_QUOTED.sub("", "\n" + text[:MAX_EVIDENCE]).lower().split())
    titled = _any(FAILURE_SUBJECT, subject)
    system = is_from_mailer(message) or not message.first("from") or _is_unanswerable(message, words)
    failed = _any(FAILURE, words) if system or titled or listed else False
    if (
        not (failed and titled)
        and is_automatic(message)
        and (_any(CHALLENGE, words) or _any(CHALLENGE, subject))
    ):
        return Told.CHALLENGE
    if not (system or titled or listed) or (is_auto_reply(message) and not (titled or listed)):
        return Told.NOTHING
    if _any(STILL_TRYING, words):
        return Told.DELAYED
    if _any(DELIVERED, words):
        return Told.DELIVERED
    return Told.FAILED if failed or listed or (system and titled) else Told.NOTHING


def _is_unanswerable(message: Part, words: str) -> bool:
    """Whether a mail under any name, sent with the empty return path of a bounce, speaks of delivery."""
    if message.first("return-path").strip() != "<>" or is_absence(message, words):
        return False
    return any("deliver" in phrase and phrase in words for phrase in FAILURE)


def _any(phrases: tuple[str, ...], text: str) -> bool:
    return any(phrase in text for phrase in phrases)

"""Who sent a mail and under which title: a mail system, a machine, or a person.

Knows how mail systems name themselves. Does not know what the mail says.
"""

import re

from .charset import decode_words
from .mime import Part

__all__ = ["is_answer", "is_automatic", "is_from_mailer", "subject_of"]

_MAILER = re.compile(
    r"mailer[-_.]?(?:daemon|deamon)|\bpost-?master\b|mail[ ._-]?(?:delivery|deliver\b|system|daemon)|<>"
    r"|\bmaster@|mdaemon|delivery[ ._-]?(?:sub)?system|smtp[_ -](?:mail|server|gateway)|system administrator"
    r"|mail administrator|\bbounce[s]?@|mail[ _-]?server|microsoftexchange|no-?reply@(?:[^@]{0,40}\.)?"
    r"(?:google|facebook)",
    re.IGNORECASE,
)

_ANSWER = re.compile(r"(?:re|fw|fwd|aw|wg|sv|vs|antw|tr|rv|rif|r|odp|ответ)(?:\[\d+\])?: ", re.IGNORECASE)


def is_answer(message: Part) -> bool:
    """Whether the subject is that of an answer or of a forwarded mail: a person's, whatever it quotes."""
    return bool(_ANSWER.match(subject_of(message)))


def is_automatic(message: Part) -> bool:
    """Whether a machine sent it, as far as the fields for machines say."""
    submitted = message.first("auto-submitted").lower()
    return (
        (submitted not in ("", "no"))
        or message.first("return-path").strip() == "<>"
        or message.first("precedence").lower() in ("bulk", "junk", "auto_reply")
        or is_from_mailer(message)
    )


def subject_of(message: Part) -> str:
    """The subject, decoded, on one line."""
    return " ".join(decode_words(message.first("subject")).split())


def is_from_mailer(message: Part) -> bool:
    """Whether the sender is named as mail systems name themselves."""
    sender = message.first("from")
    return bool(_MAILER.search(sender) or _MAILER.search(decode_words(sender)))

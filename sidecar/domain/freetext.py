"""Recipients that failed, in the words of a notice: the addresses that its failure section sets apart.

Knows where that section begins, and who is named in it for another reason. Does not know why they failed (see
reason). Must not be shown the returned original.
"""

import re

from .mention import is_apart, is_header, is_recipient_header, mentions
from .phrases import HEADING
from .reason import assign, cut_lines

__all__ = ["failures"]

MAX_RECIPIENTS = 100  #: of one notice; RFC 5321 section 4.5.3.1.8

_ANSWER = re.compile(r"(?:<<<|out:|\()?\s*[245]\d\d[ -]", re.IGNORECASE)
_ROLES = re.compile(
    r"(?:postmaster|mailer-daemon|abuse|support|help|helpdesk|hostmaster|webmaster|admin|administrator|noc"
    r"|noreply|no-reply|customerservice|info-request)@",
    re.IGNORECASE,
)


def failures(text: str, others: frozenset[str], *, anybody: bool = False) -> dict[str, str]:
    """The failed recipients that *text* names, in order, with the words about each, "" where there are none.

    *others*, in lower case, are addresses that are named for another reason: who gets this notice. Only with
    *anybody* a postmaster or the header of the mail that failed is believed to name a recipient.
    """
    lines = cut_lines(text)
    section = _section(lines)
    for part in (section, lines):
        names = _named(part, others, 3 if anybody else 2)
        if names:
            return assign(part, names, lines)
    return {}


def _section(lines: list[str]) -> list[str]:
    """The lines from the one that announces the recipients, or where its sentence begins."""
    for number, line in enumerate(lines):
        both = " ".join((line + " " + (lines[number + 1] if number + 1 < len(lines) else "")).lower().split())
        if any(phrase in both for phrase in HEADING):
            return lines[number:]
    return []


def _named(lines: list[str], others: frozenset[str], trusted: int) -> dict[str, str]:
    """Recipients by address in lower case: those set apart, else those in running text, else postmasters."""
    ranks: tuple[dict[str, str], ...] = ({}, {}, {})
    inline = ""  # in running text the first line that names somebody names who failed, later ones a contact
    for line in lines:
        stripped = line.strip()
        if "@" not in line or is_header(line):
            continue
        answer = _ANSWER.match(stripped)
        for address, before in mentions(line):
            if address.lower() in others:
                continue
            if is_recipient_header(line) or _ROLES.match(address):
                rank = 2
            else:
                rank = 0 if is_apart(before) and not answer else 1
            if rank == 1 and not answer:
                if inline not in ("", line):
                    continue
                inline = line
            if len(ranks[rank]) < MAX_RECIPIENTS:
                ranks[rank].setdefault(address.lower(), address)
    return next((names for names in ranks[:trusted] if names), {})

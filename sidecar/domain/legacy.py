"""Bounces without fields for machines: read from their words, and X-Failed-Recipients where it stands.

Knows in which order the places for a recipient are believed. Does not know the wording (see phrases), nor
what it means for the recipient (see classify).
"""

from . import dsn
from .evidence import Told
from .freetext import failures
from .mime import Part, cut_fields, parse
from .reason import gist, reasons
from .report import Report, ReportAction
from .sender import is_from_mailer
from .status import find_reply, find_status
from .words import Words, find_words

__all__ = ["read"]


def read(message: Part, words: Words, verdict: Told) -> tuple[Report, ...]:
    """One report for each recipient, at most MAX_REPORTS; one without address if nobody is named.

    *verdict*, what *words* tell of them all: failed, delayed or delivered.
    """
    action = ReportAction(verdict)
    named = _failed_recipients(message)
    if named:
        explained = reasons(words.text, named)
        # The words may name nobody, as of a file that is full behind an alias.
        if len(named) == 1 and not explained:
            explained = {named[0].lower(): gist(words.text)}
        return _reports({address: explained.get(address.lower(), "") for address in named}, action)
    others = _others(message)
    return (
        dsn.read_text(words.text)
        or _reports(failures(words.text, others), action)
        or _wrapped(words)
        or _reports(failures(words.text, others, anybody=True), action)
        or _reports(_returned(words), action)
    )


def _wrapped(words: Words) -> tuple[Report, ...]:
    """What a notice says that another system wrapped in one without a recipient, as scanners do."""
    inner = parse(words.original)
    return dsn.read(inner) or (dsn.read_text(find_words(inner).text) if is_from_mailer(inner) else ())


def _failed_recipients(message: Part) -> list[str]:
    names = ",".join(message.all("x-failed-recipients")).split(",")[: dsn.MAX_REPORTS]
    return list(dict.fromkeys(address for name in names if "@" in (address := dsn.trim_address(name))))


def _others(message: Part) -> frozenset[str]:
    """Who gets the notice, and who sent it."""
    values = (message.first(name) for name in ("to", "from", "return-path"))
    return frozenset(dsn.trim_address(value).lower() for value in values)


def _returned(words: Words) -> dict[str, str]:
    """The one recipient of the returned mail, where the words name nobody."""
    fields = dict(cut_fields(words.original))
    address = dsn.trim_address(fields.get("to", ""))
    return {address if "@" in address and "," not in address else "": gist(words.text)}


def _reports(found: dict[str, str], action: ReportAction) -> tuple[Report, ...]:
    reports = []
    for address, reason in found.items():
        diagnostic = dsn.plain_words(reason)
        status, reply = find_status(diagnostic), find_reply(diagnostic)
        reports.append(Report(address, action, status=status, reply=reply, diagnostic=diagnostic))
    return tuple(reports[: dsn.MAX_REPORTS])

"""What BounceHandler knew of a failure, and whether it may enter our history.

Knows whose a record is, when it counts no more, and what its few words tell. Does not know databases. First
promise, as everywhere: in doubt it says nothing against an address.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from .bounce_records import Owner, Row
from .charset import decode_text, decode_words
from .classify import Category, RuleBook, Verdict
from .history import CLOCK_SKEW
from .report import Report, ReportAction
from .status import find_reply, find_status

__all__ = ["RULE", "Fate", "fate_of", "verdict_of"]

#: How the rule of an inherited failure begins, so that it is known for one.
RULE = "bouncehandler"
RULE_LENGTH = 64  # characters that a history keeps of a rule's name


class Fate(StrEnum):
    """What becomes of a record."""

    ENTERED = "entered"
    KNOWN = "in the history already"
    NOBODY = "nobody has that address now"
    SEVERAL = "several users have that address"
    ELSEWHERE = "of a wiki that is not configured"
    NOT_CONFIRMED = "the address is not confirmed now"
    BEFORE = "sent before the address was confirmed"
    OLD = "older than keep_bounces_days"
    FUTURE = "sent in the future"
    UNREADABLE = "no record"


def fate_of(
    row: Row, owners: Collection[Owner], wikis: Collection[str], now: datetime, keep: timedelta
) -> Fate:
    """Whether a record may enter; *owners* are all who have its address now. Never KNOWN or UNREADABLE.

    BounceHandler keeps no user, only the address: where two have it, nobody can say whose mail it was.
    """
    if len(owners) != 1:
        return Fate.SEVERAL if owners else Fate.NOBODY
    [owner] = owners
    if owner.wiki not in wikis:
        return Fate.ELSEWHERE
    if owner.confirmed is None:  # whatever confirms it comes later than the record
        return Fate.NOT_CONFIRMED
    if row.sent > now + CLOCK_SKEW:
        return Fate.FUTURE
    if row.sent < now - keep:
        return Fate.OLD
    return Fate.BEFORE if row.sent < owner.confirmed else Fate.ENTERED


def verdict_of(row: Row, rules: RuleBook, may_count: frozenset[Category]) -> tuple[Verdict, str]:
    """Our own judgement of a record, and its status code: BounceHandler calls a full mailbox permanent, too.

    All that it keeps is the bounce's Subject, which seldom says why: most are soft.
    """
    words = _said(row.reason)
    status = find_status(words)
    report = Report(
        row.address, ReportAction.FAILED, status=status, reply=find_reply(words), diagnostic=words
    )
    found = rules.judge(report, may_count)
    rule = f"{RULE}/{found.rule}"[:RULE_LENGTH] if found.rule else RULE
    return Verdict(found.category, found.hard, rule, found.words, found.veto), status


#: Beginnings of a Subject behind which the mail system itself says why: sendmail, Notes.
_TELLS_WHY = ("returned mail", "delivery failure")
_QUOTES = re.compile(r"[:：\]】»]")


def _said(subject: str) -> str:
    """What the mail system says in *subject*, and not the Subject of the mail that it quotes there.

    "Undeliverable: 550 user unknown" is what somebody wrote through the wiki and a server could not deliver,
    for whatever reason. "Returned mail: User unknown" is a reason.
    """
    decoded = decode_words(decode_text(subject.encode("utf-8", "surrogateescape")))
    words = " ".join(decoded.split())
    head = _QUOTES.split(words, maxsplit=1)[0]
    return words if head.strip().lower() in _TELLS_WHY else head

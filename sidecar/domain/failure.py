"""The failure that a notice reports of one user's mail, and what may speak against counting it.

Knows whose failure it is and the doubts. Does not know wordings (see classify), storage or policies.
"""

from collections.abc import Callable
from datetime import datetime

from .address import fold
from .classify import Category, RuleBook, Verdict
from .history import CLOCK_SKEW
from .notice import Kind, Notice
from .report import Report, ReportAction
from .verp import Token

__all__ = ["Judge", "failure_of"]

FAILURES = (ReportAction.FAILED, ReportAction.UNSTATED)
FORWARDED = Verdict(Category.FORWARDED, hard=False, rule="forwarded")

IsAbout = Callable[[Token, str], bool | None]  #: whether an address is the one written to; None: cannot tell


class Judge:
    """Rules, and which categories may count; one for each mail, since both may change."""

    def __init__(self, rules: RuleBook, may_count: frozenset[Category], is_about: IsAbout) -> None:
        self._rules, self._may_count, self._is_about = rules, may_count, is_about

    def verdict(self, report: Report) -> Verdict:
        return self._rules.judge(report, self._may_count)

    def concerns(self, token: Token, report: Report) -> bool:
        """False if another address failed than the one written to: the mail was forwarded.

        A user who forwards to two mailboxes, one of them dead, still gets the mail; hence the final
        address decides, and the original one only where there is no other (RFC 3464 section 2.3).
        """
        failed = report.address or report.original
        about = self._is_about(token, failed) if failed else None
        if about is None and report.address and report.original:  # the return path has no tag
            return fold(report.address) == fold(report.original)
        return about is not False


def failure_of(
    notice: Notice, token: Token, judge: Judge, *, null_sender: bool, received: datetime
) -> tuple[Verdict, Report] | None:
    """What happened to the mail that *token* was signed for; None if the notice reports no failure."""
    failures = [report for report in notice.reports if report.action in FAILURES]
    if notice.kind is not Kind.BOUNCE or not failures:
        return None
    ours = [report for report in notice.reports if judge.concerns(token, report)]
    verdicts = [(judge.verdict(report), report) for report in ours if report.action in FAILURES]
    # Several failures for one address: the mildest hurts nobody; of several, one that a rule has understood.
    mildest = sorted(verdicts, key=lambda pair: (pair[0].hard, not pair[0].rule))
    verdict, report = mildest[0] if mildest else (FORWARDED, failures[0])
    doubt = _doubt(token, ours, null_sender=null_sender, received=received)
    if verdict.hard and doubt:
        verdict = Verdict(verdict.category, hard=False, rule=doubt)
    return verdict, report


def _doubt(token: Token, reports: list[Report], *, null_sender: bool, received: datetime) -> str:
    """Why a hard failure does not count after all, as the name of a rule; "" if nothing speaks against it."""
    if not null_sender:
        return "sender-not-null"  # RFC 5321 section 4.5.5: a delivery report has the null sender
    if any(report.action not in FAILURES for report in reports):
        return "arrived-too"  # at the same address, by another way
    if token.sent > received + CLOCK_SKEW:
        return "sent-in-the-future"  # a clock was wrong, and so would be what we say to the wiki
    return ""

"""A whole mail, judged without knowing whom it was sent to: what it is, and what each report in it means.

Knows which reports are failures. Does not know tokens: whose failure it is, and whether it counts for a user,
is the intake's question.
"""

from dataclasses import dataclass
from enum import StrEnum

from .classify import HARD_CAPABLE, Category, RuleBook, Verdict
from .notice import Kind, read
from .report import Report, ReportAction

__all__ = ["Decision", "Judged", "Judgement", "judge"]


class Decision(StrEnum):
    """What a report, or a mail, says against an address."""

    HARD = "hard"  #: permanent and the recipient's own: counts
    SOFT = "soft"  #: recorded, never counts
    NONE = "none"  #: no failure


@dataclass(frozen=True)
class Judged:
    """One recipient's report and what it means."""

    report: Report
    verdict: Verdict

    @property
    def decision(self) -> Decision:
        if self.report.action in (ReportAction.DELIVERED, ReportAction.RELAYED, ReportAction.EXPANDED):
            return Decision.NONE
        return Decision.HARD if self.verdict.hard else Decision.SOFT


@dataclass(frozen=True)
class Judgement:
    """A mail, judged."""

    kind: Kind
    reports: tuple[Judged, ...]

    @property
    def decision(self) -> Decision:
        """The hardest of its reports'."""
        said = {judged.decision for judged in self.reports}
        return next((decision for decision in Decision if decision in said), Decision.NONE)


def judge(raw: bytes, rules: RuleBook, may_count: frozenset[Category] = HARD_CAPABLE) -> Judgement:
    """Read *raw* and judge each report in it. Pure."""
    notice = read(raw)
    reports = (Judged(report, rules.judge(report, may_count)) for report in notice.reports)
    return Judgement(notice.kind, tuple(reports))

"""What a check found: one line each, and what to change.

Knows neither mail servers nor wikis.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["Finding", "State", "about", "good", "ok", "unknown", "warn", "wrong"]


class State(StrEnum):
    """UNKNOWN is what could not be looked at: it may be either. WARN is well today, and will not stay so."""

    OK = "OK"
    WARN = "WARN"
    WRONG = "WRONG"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    state: State
    what: str
    remedy: str = ""
    subject: str = ""  #: what it is about, where findings about several things stand together


def ok(what: str) -> Finding:
    return Finding(State.OK, what)


def warn(what: str, remedy: str) -> Finding:
    return Finding(State.WARN, what, remedy)


def wrong(what: str, remedy: str) -> Finding:
    return Finding(State.WRONG, what, remedy)


def unknown(what: str, remedy: str) -> Finding:
    return Finding(State.UNKNOWN, what, remedy)


def about(subject: str, findings: Iterable[Finding]) -> list[Finding]:
    """The same findings, where it must be said what they are about."""
    return [replace(finding, subject=subject) for finding in findings]


def good(findings: Iterable[Finding]) -> bool:
    """Whether everything was looked at and nothing is wrong."""
    return all(finding.state in (State.OK, State.WARN) for finding in findings)

"""What a check found: one line each, and what to change.

Knows nothing of mail servers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "State", "good", "ok", "unknown", "wrong"]


class State(StrEnum):
    """UNKNOWN is what could not be looked at: it may be either."""

    OK = "OK"
    WRONG = "WRONG"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    state: State
    what: str
    remedy: str = ""


def ok(what: str) -> Finding:
    return Finding(State.OK, what)


def wrong(what: str, remedy: str) -> Finding:
    return Finding(State.WRONG, what, remedy)


def unknown(what: str, remedy: str) -> Finding:
    return Finding(State.UNKNOWN, what, remedy)


def good(findings: Iterable[Finding]) -> bool:
    """Whether everything was looked at and nothing is wrong."""
    return all(finding.state is State.OK for finding in findings)

"""When an address has failed for long enough. One pure function over a user's hard bounces.

Knows the rules and their presets. Does not know how bounces were judged, how they are stored, or what a
wiki does about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .classify import HARD_CAPABLE, Category
from .wiki import Unconfirm

__all__ = ["PRESETS", "Decision", "HardBounce", "Mode", "Policy", "Rule", "Streak", "Window", "decide"]


class Mode(StrEnum):
    """Whether decisions are carried out."""

    SHADOW = "shadow"  #: decide and record, touch nothing; what a new installation starts in
    ENFORCE = "enforce"


@dataclass(frozen=True)
class Streak:
    """Consecutive failures over a time long enough for passing trouble to pass."""

    hard_bounces: int = 3
    span: timedelta = timedelta(days=7)  #: age of the oldest counted mail, at least
    forget: timedelta = timedelta(days=60)  #: two failures further apart than this are no streak


@dataclass(frozen=True)
class Window:
    """So many failures within a period, as BounceHandler and Mailman count."""

    hard_bounces: int
    period: timedelta


Rule = Streak | Window

#: BounceHandler's is its documented default, Wikimedia's its production setting.
PRESETS: dict[str, Rule] = {
    "specification": Streak(),
    "bouncehandler": Window(10, timedelta(days=7)),
    "wikimedia": Window(5, timedelta(days=7)),
}


@dataclass(frozen=True)
class Policy:
    """What holds for the users of one wiki."""

    rule: Rule
    mode: Mode
    categories: frozenset[Category] = HARD_CAPABLE  #: which may count; never others than these five

    def counted(self, history: Sequence["HardBounce"]) -> list["HardBounce"]:
        """What of *history* counts as the policy stands now: it may have been another when it was judged."""
        return [bounce for bounce in history if bounce.category in self.categories]


@dataclass(frozen=True)
class HardBounce:
    """A failure that may count."""

    id: int
    sent: datetime  #: aware; when the mail left that came back, not when the bounce arrived
    category: str


@dataclass(frozen=True)
class Decision:
    """An action that is due, and the bounces that led to it, oldest first."""

    action: Unconfirm
    because: tuple[HardBounce, ...]


def decide(
    wiki: str, user_id: int, history: Sequence[HardBounce], rule: Rule, now: datetime
) -> Decision | None:
    """What *rule* says of a user's hard bounces since the last proof that mail arrives.

    *history* may be in any order. Asking again later, with the same history, never takes a streak's
    decision back.
    """
    ordered = sorted(history, key=lambda bounce: bounce.sent)
    counted = _streak(ordered, rule, now) if isinstance(rule, Streak) else _window(ordered, rule)
    if not counted:
        return None
    # A host whose clock runs ahead must not let us undo a confirmation of today.
    before = min(counted[0].sent, now)
    action = Unconfirm(wiki, user_id, confirmed_before=before, reason=_reason(counted))
    return Decision(action, tuple(counted))


def _streak(ordered: list[HardBounce], rule: Streak, now: datetime) -> list[HardBounce]:
    counted: list[HardBounce] = []
    for bounce in ordered:
        if counted and bounce.sent - counted[-1].sent > rule.forget:
            counted = []
        counted.append(bounce)
    if len(counted) < rule.hard_bounces or now - counted[0].sent < rule.span:
        return []
    return counted


def _window(ordered: list[HardBounce], rule: Window) -> list[HardBounce]:
    if not ordered:
        return []
    # The newest failure closes the window, not the clock: an action that waits for the wiki stays due.
    since = ordered[-1].sent - rule.period
    counted = [bounce for bounce in ordered if bounce.sent >= since]
    return counted if len(counted) >= rule.hard_bounces else []


def _reason(counted: list[HardBounce]) -> str:
    causes = ", ".join(sorted({bounce.category for bounce in counted}))
    first, last = counted[0].sent, counted[-1].sent
    return f"{len(counted)} hard bounces of mail sent {first:%Y-%m-%d} to {last:%Y-%m-%d} ({causes})"

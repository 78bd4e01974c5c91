"""When an address has failed for long enough: the rules, their presets, and the decision.

Knows thresholds and what they call for. Does not know which mails count (history.py), how bounces were
judged, how they are stored, or what a wiki does about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .classify import HARD_CAPABLE, Category
from .history import History, Mail, Reading, read_history
from .wiki import Unconfirm, Warn

__all__ = [
    "PRESETS", "PROTECTED", "Decision", "Mode", "Policy", "Preset", "Rule", "Streak", "Window", "decide",
    "lacking", "read",
]  # fmt: skip


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
    daily: bool = False  #: failures of mail sent on one day (UTC) count as one


@dataclass(frozen=True)
class Window:
    """So many failures within a period, as BounceHandler and Mailman count."""

    hard_bounces: int
    period: timedelta
    daily: bool = False  #: failures of mail sent on one day (UTC) count as one


Rule = Streak | Window


@dataclass(frozen=True)
class Preset:
    """A usual set of numbers; every one of them can be set by itself."""

    rule: Rule
    warn: bool = False


#: BounceHandler's is its documented default, Wikimedia's its production setting.
PRESETS: dict[str, Preset] = {
    "specification": Preset(Streak()),
    "gentle": Preset(Streak(daily=True), warn=True),
    "bouncehandler": Preset(Window(10, timedelta(days=7))),
    "wikimedia": Preset(Window(5, timedelta(days=7))),
}

#: Groups of MediaWiki and of Wikimedia's wikis whose members answer for others.
PROTECTED = frozenset({"sysop", "bureaucrat", "steward", "bot", "interface-admin", "suppress", "checkuser"})


@dataclass(frozen=True)
class Policy:
    """What holds for the users of one wiki."""

    rule: Rule
    mode: Mode
    categories: frozenset[Category] = HARD_CAPABLE  #: which may count; never others than these five
    settle: timedelta = timedelta(days=2)  #: a mail that has not come back for so long has arrived
    warn: bool = False  #: warn first, act when a later mail fails too
    grace: timedelta = timedelta(days=3)  #: between the warning and the sending of that later mail, at least
    announce: bool = True  #: tell the user on the wiki that the address was un-confirmed
    tell_mistyped: bool = True  #: tell the user on the wiki that the mail asking for a confirmation came back
    protected: frozenset[str] = field(default=PROTECTED)  #: groups whose members are reported, never touched
    central: bool = False  #: an account may be one of several of one person, on other such wikis

    @property
    def memory(self) -> timedelta:
        """Failures further apart than this are never counted together."""
        return self.rule.forget if isinstance(self.rule, Streak) else self.rule.period

    def __str__(self) -> str:
        """The thresholds, for the audit: what was in force when something was decided."""
        rule = self.rule
        days = " on different days" if rule.daily else ""
        over = (
            f"the oldest at least {_days(rule.span)} old"
            if isinstance(rule, Streak)
            else f"within {_days(rule.period)}"
        )
        warned = f", warned {_days(self.grace)} before the last" if self.warn else ""
        return f"{rule.hard_bounces} hard bounces{days}, {over}{warned}"


@dataclass(frozen=True)
class Decision:
    """An action that is due, and the bounces that led to it, oldest first."""

    action: Warn | Unconfirm
    because: tuple[Mail, ...]


def read(history: History, policy: Policy, now: datetime) -> Reading:
    """What each mail of *history* means under *policy* as of *now*."""
    forget = policy.rule.forget if isinstance(policy.rule, Streak) else None
    period = policy.rule.period if isinstance(policy.rule, Window) else None
    return read_history(
        history, policy.categories, now=now, settle=policy.settle, forget=forget, period=period
    )


def decide(wiki: str, user_id: int, history: History, policy: Policy, now: datetime) -> Decision | None:
    """What *policy* says of a user's mails as of *now*: a warning, an un-confirmation, or nothing.

    Depends on what is in *history*, not on its order.
    """
    counted = read(history, policy, now).counted
    if lacking(counted, policy.rule, now):
        return None
    # A host whose clock runs ahead must not let us undo a confirmation of today.
    before = min(counted[0].sent, now)
    warning = Warn(wiki, user_id, before, _reason(counted), policy.protected)
    unconfirming = Unconfirm(wiki, user_id, before, _reason(counted), policy.protected, policy.announce)
    if not policy.warn:
        return Decision(unconfirming, tuple(counted))
    if history.warned is None:
        return Decision(warning, tuple(counted))
    if counted[-1].sent < history.warned + policy.grace:
        return None  # time to mend it, also for a streak that is younger than the warning
    if history.warned < counted[0].sent:
        return Decision(warning, tuple(counted))
    return Decision(unconfirming, tuple(counted))


def lacking(counted: Sequence[Mail], rule: Rule, now: datetime) -> str:
    """What *counted* lack for the threshold, in words; "" if they reach it."""
    times = len({mail.sent.date() for mail in counted}) if rule.daily else len(counted)
    if times < rule.hard_bounces:
        return f"{times} of {rule.hard_bounces} hard bounces{' on different days' if rule.daily else ''}"
    age = now - counted[0].sent
    if isinstance(rule, Streak) and age < rule.span:
        return f"the oldest counted mail is {_days(age)} old, {_days(rule.span)} are needed"
    return ""


def _reason(counted: Sequence[Mail]) -> str:
    causes = ", ".join(sorted({mail.category for mail in counted}))
    first, last = counted[0].sent, counted[-1].sent
    return f"{len(counted)} hard bounces of mail sent {first:%Y-%m-%d} to {last:%Y-%m-%d} ({causes})"


def _days(time: timedelta) -> str:
    days = time / timedelta(days=1)
    return f"{days:.2g} day{'' if days == 1 else 's'}"

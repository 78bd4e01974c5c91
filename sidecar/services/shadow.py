"""What shadow mode would have done, for whoever decides whether to enforce.

Knows what to count and what speaks against enforcing. Does not know how BounceHandler decides
(domain/bouncehandler.py) or who agrees with it (agreement.py).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.brake import Limits
from sidecar.domain.history import Standing
from sidecar.domain.person import Account
from sidecar.domain.policy import Policy, read
from sidecar.storage import aside, shadows
from sidecar.storage.actions import DECIDED, Kind
from sidecar.storage.histories import history_of
from sidecar.storage.shadows import Came, Imagined

__all__ = ["Check", "ShadowReport", "Would", "shadow_report"]

LONG_ENOUGH = timedelta(days=21)  # a streak takes a week; whoever gets little mail shows up later
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Would:
    """What would have been done to somebody."""

    what: Imagined
    arrived: datetime | None  #: a mail that was sent after it, and arrived


@dataclass(frozen=True)
class Check:
    """One thing to look at before enforcing."""

    good: bool
    words: str


@dataclass(frozen=True)
class ShadowReport:
    """What would have been done from *since* to *until*."""

    since: datetime
    until: datetime
    modes: Mapping[str, str]
    came: Came
    would: tuple[Would, ...]
    categories: Mapping[str, int]  #: users who would have been un-confirmed
    providers: Mapping[str, int]
    checks: tuple[Check, ...]


def shadow_report(
    connection: sa.Connection, policies: Mapping[str, Policy], limits: Limits, since: datetime, now: datetime
) -> ShadowReport:
    """Everything that shadow mode has decided for the wikis of *policies* since then."""
    wikis = list(policies)
    came = shadows.came(connection, wikis, since)
    found = shadows.imagined(connection, wikis, since)
    would = tuple(Would(one, _arrived(connection, one, policies[one.wiki], now)) for one in found)
    begin = max(since, came.first) if came.first else since
    ends = [one.what for one in would if one.what.kind == Kind.UNCONFIRM]
    return ShadowReport(
        since=begin,
        until=now,
        modes={wiki: str(policy.mode) for wiki, policy in policies.items()},
        came=came,
        would=would,
        categories=_counted(category for one in ends for category in one.categories),
        providers=_counted(one.provider or "unknown" for one in ends),
        checks=(
            _long_enough(now - begin if came.first else timedelta(0)),
            _nobody_recovered(would),
            _no_rush([one.created for one in found if one.kind in DECIDED], limits),
            _no_brake(shadows.tripped_since(connection, since)),
            _all_understood(aside.waiting(connection)),
        ),
    )


def _arrived(connection: sa.Connection, one: Imagined, policy: Policy, now: datetime) -> datetime | None:
    if one.kind != Kind.UNCONFIRM:
        return None
    history = history_of(connection, Account(one.wiki, one.user_id), policy, now)
    sent = [m.sent for m, standing in read(history, policy, now).standings if standing is Standing.ARRIVED]
    return max((time for time in sent if time > one.created), default=None)


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _long_enough(time: timedelta) -> Check:
    words = f"bounces were watched for {time.days} days"
    return Check(time >= LONG_ENOUGH, f"{words}; less than {LONG_ENOUGH.days} shows too little of rare mail")


def _nobody_recovered(would: Sequence[Would]) -> Check:
    wrong = sorted({(one.what.wiki, one.what.user_id) for one in would if one.arrived})
    shown = ", ".join(f"{user_id} of {wiki}" for wiki, user_id in wrong[:10])
    words = f"mail has arrived since for {len(wrong)} of them" + (f": {shown}" if shown else "")
    return Check(not wrong, words)


def _no_rush(times: Sequence[datetime], limits: Limits) -> Check:
    hour, day = (_most_within(times, span) for span in (HOUR, DAY))
    most = f"at most {hour} decisions within an hour and {day} within a day"
    good = hour <= limits.actions_per_hour and day <= limits.actions_per_day
    return Check(
        good, f"{most}; above {limits.actions_per_hour} and {limits.actions_per_day} a brake holds all"
    )


def _most_within(times: Sequence[datetime], span: timedelta) -> int:
    most, first = 0, 0
    for last, time in enumerate(times):
        while time - times[first] > span:
            first += 1
        most = max(most, last - first + 1)
    return most


def _no_brake(whys: Sequence[str]) -> Check:
    words = "; ".join(whys[:5]) or "none"
    return Check(not whys, f"brakes that tripped: {words}")


def _all_understood(waiting: int) -> Check:
    return Check(not waiting, f"mail that nobody understood waits: {waiting}; see `aside list`")

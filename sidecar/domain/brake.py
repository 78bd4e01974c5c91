"""When too many users fail at once for it to be their own fault.

Knows the limits. Does not know how failures are counted or what a brake holds.
"""

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["DAY", "HOUR", "Acted", "Failed", "Limits", "too_many_acts", "too_many_failures"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Limits:
    """What is too much. A brake trips above a number, not at it."""

    users_per_hour: int = 100  #: who fail hard at one provider
    users_per_hour_in_all: int = 400
    factor: float = 10.0  #: times the usual rate ...
    least: int = 20  #: ... if more than so many users fail within the hour
    actions_per_hour: int = 100
    actions_per_day: int = 500
    delay: timedelta = HOUR  #: between a decision and its execution: time for a brake to trip


@dataclass(frozen=True)
class Failed:
    """Users who failed hard within the last hour, at one provider or in all."""

    users: int
    usual: float | None  #: users per hour over the weeks before; None if there is no such history


@dataclass(frozen=True)
class Acted:
    """Actions that were decided, not only imagined in shadow mode."""

    hour: int
    day: int


def too_many_failures(failed: Failed, limits: Limits, *, in_all: bool) -> str:
    """Why that is too much; "" if it is not."""
    most = limits.users_per_hour_in_all if in_all else limits.users_per_hour
    if failed.users > most:
        return f"{failed.users} users failed within an hour, more than {most}"
    if failed.usual is not None and failed.users > max(limits.least, limits.factor * failed.usual):
        return f"{failed.users} users failed within an hour, usually {failed.usual:.2g}"
    return ""


def too_many_acts(acted: Acted, limits: Limits) -> tuple[str, timedelta]:
    """Why that is too much, "" if it is not; and how long the incident has lasted."""
    if acted.day > limits.actions_per_day:
        return f"{acted.day} actions were decided within a day, more than {limits.actions_per_day}", DAY
    if acted.hour > limits.actions_per_hour:
        return f"{acted.hour} actions were decided within an hour, more than {limits.actions_per_hour}", HOUR
    return "", HOUR

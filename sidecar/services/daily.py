"""What each day brought, as people look at it: some curves, the largest ones, and the others together.

Knows which numbers belong together. Does not know where they are kept, nor how a curve is drawn.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import cast

import sqlalchemy as sa

from sidecar.storage import rates
from sidecar.storage.rates import What

__all__ = ["Daily", "Look", "Series", "daily"]

MOST = 10  # curves that have a name; what is left is "others"
OTHERS = "others"
UNKNOWN = "unknown"  # a provider that could not be told


class Look(StrEnum):
    """How the numbers are looked at."""

    FAILURES = "failures"  #: hard and soft
    ACTIONS = "actions"
    CATEGORIES = "categories"
    PROVIDERS = "providers"  #: of all wikis together


_WHAT = {
    Look.FAILURES: What.CATEGORY,
    Look.ACTIONS: What.ACTION,
    Look.CATEGORIES: What.CATEGORY,
    Look.PROVIDERS: What.PROVIDER,
}


@dataclass(frozen=True)
class Series:
    """One curve: a number for each day."""

    name: str
    numbers: tuple[int, ...]
    hard: int = 0  #: how many of all of them

    @property
    def total(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True)
class Daily:
    """Days, oldest first, and their curves, the largest first."""

    look: Look
    days: tuple[date, ...]
    series: tuple[Series, ...]

    @property
    def total(self) -> int:
        return sum(one.total for one in self.series)


def daily(connection: sa.Connection, look: Look, until: date, days: int, wiki: str = "") -> Daily:
    """Of the *days* up to and with *until*; of one *wiki* if it is named, but for providers."""
    since = until - timedelta(days=days - 1)
    key = "hard" if look is Look.FAILURES else "key"
    whose = "" if look is Look.PROVIDERS else wiki
    sums = rates.grouped(connection, _WHAT[look], ("day", key, "hard"), since, until, whose)
    found = [_Sum(*cast(tuple[date, str, bool], of), number) for of, number in sums.items()]
    shown = tuple(rates.days(since, until))
    if look is Look.FAILURES:
        return Daily(look, shown, tuple(_of(shown, name, found, hard) for name, hard in _HARDNESS))
    return Daily(look, shown, _largest(shown, found))


_HARDNESS = (("hard", True), ("soft", False))


@dataclass(frozen=True)
class _Sum:
    day: date
    key: str
    hard: bool
    number: int


def _of(days: tuple[date, ...], name: str, sums: Iterable[_Sum], hard: bool) -> Series:
    return _series(days, name, [one for one in sums if one.hard is hard])


def _largest(days: tuple[date, ...], sums: Iterable[_Sum]) -> tuple[Series, ...]:
    by_key: dict[str, list[_Sum]] = {}
    for one in sums:
        by_key.setdefault(one.key or UNKNOWN, []).append(one)
    sizes = {key: sum(one.number for one in ones) for key, ones in by_key.items()}
    ordered = sorted(sizes, key=lambda key: (-sizes[key], key))
    named = [_series(days, key, by_key[key]) for key in ordered[:MOST]]
    rest = [one for key in ordered[MOST:] for one in by_key[key]]
    return (*named, *([_series(days, OTHERS, rest)] if rest else []))


def _series(days: tuple[date, ...], name: str, sums: Iterable[_Sum]) -> Series:
    of_day: Counter[date] = Counter()
    hard = 0
    for one in sums:
        of_day[one.day] += one.number
        hard += one.number if one.hard else 0
    return Series(name, tuple(of_day[day] for day in days), hard)

"""What came back and what was done: in days, by provider, by category, by wiki.

Knows what is counted together, and over which days the share of mails that came back can be told. Does not
know how the numbers are kept, nor how they are shown.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import sqlalchemy as sa

from sidecar.domain.wiki import Effect
from sidecar.storage import rates
from sidecar.storage.actions import Kind
from sidecar.storage.rates import What

__all__ = ["By", "Numbers", "Statistics", "statistics"]

DAY = timedelta(days=1)

#: What was carried out, and what shadow mode would have had carried out, by the field of Numbers.
EFFECTS = {
    Effect.UNCONFIRMED: "unconfirmed",
    Effect.SUBMITTED: "submitted",
    Effect.WARNED: "warned",
    Effect.RESTORED: "restored",
    f"shadow {Kind.UNCONFIRM}": "would_unconfirm",
    f"shadow {Kind.WARN}": "would_warn",
    f"shadow {Kind.MISTYPED}": "would_warn",
}


class By(StrEnum):
    """What the rows are."""

    DAY = "day"
    PROVIDER = "provider"
    CATEGORY = "category"
    WIKI = "wiki"


@dataclass
class Numbers:
    """Of one day, provider, category or wiki; of providers and categories the failures alone."""

    hard: int = 0
    soft: int = 0
    unconfirmed: int = 0
    submitted: int = 0  #: gate mode: handed to BounceHandler
    warned: int = 0
    restored: int = 0
    would_unconfirm: int = 0  #: shadow mode
    would_warn: int = 0  #: shadow mode
    signed: int | None = None  #: mails; None where nothing is known
    bounces_of_signed: int = 0  #: failures of the days of which it is known how many mails were signed

    @property
    def bounces(self) -> int:
        return self.hard + self.soft

    @property
    def rate(self) -> float | None:
        """Failures for each mail that was signed; None where that is not known."""
        return self.bounces_of_signed / self.signed if self.signed else None

    def add(self, other: "Numbers") -> None:
        """Count *other* in."""
        signed = None if self.signed is other.signed is None else (self.signed or 0) + (other.signed or 0)
        for name in vars(self):
            if name != "signed":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.signed = signed


@dataclass(frozen=True)
class Statistics:
    """The numbers of some days."""

    by: By
    since: date
    until: date  #: included
    kept_since: date | None  #: nothing is known of what was before; None: of nothing
    rows: Mapping[str, Numbers]  #: days in their order, else the most failures first
    total: Numbers


def statistics(connection: sa.Connection, by: By, since: date, until: date, wiki: str = "") -> Statistics:
    """From *since* to *until*, both included; of one *wiki* if it is named.

    Providers are not known by wiki. Days that are not over, or not summed, are counted now.
    """
    kept = rates.kept_since(connection)
    first = max(since, kept) if kept else until + DAY
    rows: defaultdict[str, Numbers] = defaultdict(Numbers)
    if by is By.PROVIDER or by is By.CATEGORY:
        for (key, hard), number in rates.grouped(
            connection, What(by), ("key", "hard"), first, until, wiki
        ).items():
            rows[str(key)].add(_failures(number, hard))
    else:
        if by is By.DAY:
            rows |= {str(day): Numbers() for day in rates.days(first, until)}
        _all(connection, by, first, until, wiki, rows)
    ordered = dict(sorted(rows.items(), key=_most if by is not By.DAY else None))
    return Statistics(by, since, until, kept, ordered, _sum(ordered.values()))


def _all(
    connection: sa.Connection, by: By, since: date, until: date, wiki: str, rows: defaultdict[str, Numbers]
) -> None:
    apart = ("day",) if by is By.DAY else ("wiki", "day")

    def grouped(what: What, *more: str) -> Iterable[tuple[tuple[object, ...], int]]:
        return rates.grouped(connection, what, (*apart, *more), since, until, wiki).items()

    began: dict[object, object] = {}  # the first day of which signed mails are known; of each wiki
    for (*of, day), number in sorted(grouped(What.SIGNED), key=str):
        began.setdefault(tuple(of), day)
        rows[str(of[0] if of else day)].add(Numbers(signed=number))
    for named, row in rows.items() if by is By.DAY and began else ():
        row.add(Numbers(signed=0 if named >= str(began[()]) else None))
    for (*of, day, hard), number in grouped(What.CATEGORY, "hard"):
        known = str(began.get(tuple(of), "~")) <= str(day)
        rows[str(of[0] if of else day)].add(_failures(number, hard, known=known))
    for (*of, day, key), number in grouped(What.ACTION, "key"):
        if field := EFFECTS.get(str(key)):
            rows[str(of[0] if of else day)].add(Numbers(**{field: number}))


def _failures(number: int, hard: object, *, known: bool = False) -> Numbers:
    own = Numbers(hard=number) if hard else Numbers(soft=number)
    own.bounces_of_signed = number if known else 0
    return own


def _most(row: tuple[str, Numbers]) -> tuple[int, str]:
    return -row[1].bounces, row[0]


def _sum(numbers: Iterable[Numbers]) -> Numbers:
    total = Numbers()
    for one in numbers:
        total.add(one)
    return total

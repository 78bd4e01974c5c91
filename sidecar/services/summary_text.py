"""The words of the weekly summary, for people who run no mail server. Pure.

Knows plain sentences and narrow columns. Says nothing of any user, and holds no address.
"""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sidecar.domain.harmless import harmless
from sidecar.domain.meanings import MEANINGS
from sidecar.domain.rule import Category
from sidecar.domain.trouble import Trouble
from sidecar.services.statistics import Numbers
from sidecar.storage.brakes import Brake

__all__ = ["Half", "Week", "subject", "text"]

WIDTH = 72  # of a line, RFC 3676 section 4.2 keeps to 78
MOST = 5  # rows of each table; `stats` has them all
NOBODY = Numbers()


@dataclass(frozen=True)
class Half:
    """Seven days."""

    since: date
    until: date  #: included
    total: Numbers
    providers: Mapping[str, Numbers]
    categories: Mapping[str, Numbers]
    wikis: Mapping[str, Numbers]
    aside: int  #: mails of these days that still wait for a person
    refused: Mapping[str, int]  #: actions, by wiki
    brakes: tuple[Brake, ...]  #: that tripped


@dataclass(frozen=True)
class Week:
    """A week, the one before, and how it is now."""

    this: Half
    last: Half
    troubles: tuple[Trouble, ...]
    aside: int  #: all mails that wait for a person


def subject(week: Week) -> str:
    """The verdict."""
    total, number = week.this.total, len(week.troubles)
    needs = {0: "nothing needs attention", 1: "1 thing needs attention"}
    verdict = needs.get(number, f"{number} things need attention")
    came = f"{total.bounces} bounce{'s' * (total.bounces != 1)}, {total.unconfirmed} un-confirmed"
    return f"bounce-sidecar: {_name(week.this)}: {came}, {verdict}"


def text(week: Week, origin: str) -> Iterator[str]:
    """The mail's lines."""
    this = week.this
    yield f"The bounce sidecar of {origin}, {_name(this)}"
    yield f"{this.since} to {this.until} (UTC), beside the seven days before"
    yield from _wrong(week)
    yield from _numbers(week)
    yield from _table("Whose mail servers sent it back", week, lambda half: half.providers, _bounces)
    yield from _table("Why it came back", week, lambda half: half.categories, _bounces, _because)
    yield from _table("Addresses un-confirmed, by wiki", week, lambda half: half.wikis, _unconfirmed)
    yield from _refused(this)
    yield from _brakes(this)
    yield ""
    yield from _wrapped(
        "An address is un-confirmed when mail to it has failed for good for long enough: the wiki sends it "
        "no more mail, until its user confirms an address again.",
        "",
    )
    yield "More: bounce-sidecar stats, bounce-sidecar status"


def _name(half: Half) -> str:
    """A calendar's week where it is one (ISO 8601)."""
    return f"week {half.since:%V}" if half.since.isoweekday() == 1 else f"week to {half.until}"


def _wrong(week: Week) -> Iterator[str]:
    yield ""
    if not week.troubles:
        yield "Nothing needs attention now."
        return
    yield "Needs attention now"
    for trouble in week.troubles:
        yield from _wrapped(f"{trouble.severity}: {trouble.what}", "  ")
        yield from _wrapped(f"What to do: {trouble.remedy}", "    ")


def _numbers(week: Week) -> Iterator[str]:
    this, last = week.this, week.last

    def row(name: str, number: Callable[[Half], int | None]) -> str:
        return _row(name, number(this), number(last))

    yield ""
    yield _head("The week")
    yield row("Mails signed", lambda half: half.total.signed)
    yield row("Mails that came back", lambda half: half.total.bounces)
    yield row("  for good (hard)", lambda half: half.total.hard)
    yield row("  for now, or not the address's fault", lambda half: half.total.soft)
    yield row("Addresses un-confirmed", lambda half: half.total.unconfirmed)
    yield row("Users warned on the wiki", lambda half: half.total.warned)
    yield row("Confirmed again by an operator", lambda half: half.total.restored)
    yield row("Refused by the wikis", lambda half: sum(half.refused.values()))
    yield row("Set aside for a person, and still there", lambda half: half.aside)
    for name, field in (
        ("Shadow mode would have un-confirmed", "would_unconfirm"),
        ("Shadow mode would have warned", "would_warn"),
        ("Handed to BounceHandler", "submitted"),
    ):
        if getattr(this.total, field) or getattr(last.total, field):
            yield row(name, lambda half, field=field: getattr(half.total, field))  # type: ignore[misc]
    if week.aside:
        yield ""
        yield f"Mails that wait for a person, of all time: {week.aside}; `aside list` shows them."


def _table(
    title: str,
    week: Week,
    of: Callable[[Half], Mapping[str, Numbers]],
    number: Callable[[Numbers], int],
    meaning: Callable[[str], str] = lambda _: "",
) -> Iterator[str]:
    """The largest of this week."""
    this, last = of(week.this), of(week.last)
    largest = sorted(this, key=lambda key: (-number(this[key]), key))[:MOST]
    largest = [key for key in largest if number(this[key])]
    if largest:
        yield ""
        yield _head(title)
    for key in largest:
        yield _row(harmless(key) or "not known", number(this[key]), number(last.get(key, NOBODY)))
        if said := meaning(key):
            yield from _wrapped(said, "    ")


def _bounces(numbers: Numbers) -> int:
    return numbers.bounces


def _unconfirmed(numbers: Numbers) -> int:
    return numbers.unconfirmed


def _because(category: str) -> str:
    return MEANINGS[Category(category)] if category in set(Category) else ""


def _refused(half: Half) -> Iterator[str]:
    if half.refused:
        yield ""
        yield "Refused by the wikis for good (`outbox` has their words)"
        yield from (f"  {wiki}: {number}" for wiki, number in sorted(half.refused.items()))


def _brakes(half: Half) -> Iterator[str]:
    if half.brakes:
        yield ""
        yield "Brakes: too many users failed at once, or somebody pulled one"
    for brake in half.brakes:
        what = f"{brake.tripped:%Y-%m-%d %H:%M}, brake {brake.id}, {brake.state}: {harmless(brake.why)}"
        yield from _wrapped(what, "  ")


def _head(title: str) -> str:
    return f"{title:42}{'this week':>10}{'before':>10}{'change':>10}"


def _row(name: str, this: int | None, last: int | None) -> str:
    known = this is not None and last is not None
    change = f"{(this or 0) - (last or 0):+d}" if known else "-"
    cells = ("-" if number is None else str(number) for number in (this, last))
    return f"  {name:40}" + "".join(f"{cell:>10}" for cell in (*cells, "=" if change == "+0" else change))


def _wrapped(said: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(
        harmless(said), WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )

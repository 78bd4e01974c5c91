"""What happened each day, in numbers: summed when the day is over, and counted for the days that are not.

Knows how the sums are made and asked for. Does not know when a day is over.

What the numbers are kept by: failures by category and wiki, and by provider for all wikis together; actions
by what came of them; mails that were signed by the node that signed them. Of failures a day is the day when
they were received. Sums outlive the bounces that they count, and hold nothing of any user. What is entered
late, or turns out to be another failure, is entered in the sums of its day, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from sidecar.storage.actions import State, is_in
from sidecar.storage.schema import action, bounce, rate

__all__ = [
    "Count", "What", "add_signed", "amend", "close", "closed", "days", "first_day", "first_signed",
    "grouped", "kept_since", "last_signed", "signed_since", "sums",
]  # fmt: skip

DAY = timedelta(days=1)


class What(StrEnum):
    """What is counted, and what ``key`` says of it."""

    CATEGORY = "category"  #: failures, by the category of their verdict
    PROVIDER = "provider"  #: failures, by who runs the recipient's mail; of all wikis together
    ACTION = "action"  #: what was carried out, by its effect; of shadow mode "shadow " and the kind
    SIGNED = "signed"  #: mails, by the node that signed them or was told
    CLOSED = "closed"  #: a day whose failures and actions are summed


_SUMMED = (What.CATEGORY, What.PROVIDER, What.ACTION)


@dataclass(frozen=True)
class Count:
    """How often, in one day."""

    day: date
    wiki: str  #: "" for all together
    key: str
    hard: bool
    number: int


def grouped(
    connection: sa.Connection, what: What, by: Sequence[str], since: date, until: date, wiki: str = ""
) -> Counter[tuple[object, ...]]:
    """Of all days from *since* to *until*, both included, added up; of one *wiki* if it is named.

    *by* names what is told apart: some of day, wiki, key and hard. Days that are not closed are counted now:
    that takes as long as there were failures in them. Providers are not known by wiki.
    """
    over = closed(connection, since, until)
    summed = what in _SUMMED
    opened = list(_open(connection, over, since, until)) if summed else []
    columns = [rate.c[name] for name in by]
    query = sa.select(*columns, sa.func.sum(rate.c.number)).group_by(*columns)
    query = query.where(rate.c.what == what, rate.c.day >= str(since), rate.c.day <= str(until))
    if summed:
        query = query.where(rate.c.day.in_(sorted(map(str, over))))
    if wiki:
        query = query.where(rate.c.wiki == wiki)
    found: Counter[tuple[object, ...]] = Counter()
    for *of, number in connection.execute(query):
        found[_told(by, of)] += int(number)
    for one in (count for day in opened for count in _counted(connection, what, day)):
        if wiki in ("", one.wiki):
            found[tuple(getattr(one, name) for name in by)] += one.number
    return found


def _open(connection: sa.Connection, summed: set[date], since: date, until: date) -> Iterator[date]:
    """The days that are not *summed*; before the first of which anything is kept there is nothing."""
    if first := first_day(connection):
        yield from (day for day in days(max(since, first), until) if day not in summed)


def _told(by: Sequence[str], of: Sequence[object]) -> tuple[object, ...]:
    return tuple(
        date.fromisoformat(str(value)) if name == "day" else value for name, value in zip(by, of, strict=True)
    )


def days(since: date, until: date) -> Iterator[date]:
    """From *since* to *until*, both included."""
    return (since + n * DAY for n in range((until - since).days + 1))


def closed(connection: sa.Connection, since: date, until: date) -> set[date]:
    """The days that are summed."""
    query = sa.select(rate.c.day).where(
        rate.c.what == What.CLOSED, rate.c.day >= str(since), rate.c.day <= str(until)
    )
    return {date.fromisoformat(day) for day in connection.execute(query).scalars()}


def first_day(connection: sa.Connection) -> date | None:
    """Of the oldest failure or action that is kept; None if there is none."""
    oldest = [
        connection.execute(sa.select(sa.func.min(column, type_=column.type))).scalar_one()
        for column in (bounce.c.received, action.c.created)
    ]
    return min((moment.date() for moment in oldest if moment), default=None)


def kept_since(connection: sa.Connection) -> date | None:
    """The first day of which anything is known; None if nothing is."""
    oldest = connection.execute(sa.select(sa.func.min(rate.c.day))).scalar_one()
    days = (date.fromisoformat(oldest) if oldest else None, first_day(connection))
    return min((day for day in days if day), default=None)


def sums(connection: sa.Connection, day: date) -> dict[What, list[Count]]:
    """What happened on that day, to be handed to ``close``; without a lock."""
    return {what: list(_counted(connection, what, day)) for what in _SUMMED}


def close(connection: sa.Connection, day: date, counts: Mapping[What, Iterable[Count]]) -> None:
    """Enter the sums of a day that is over, in place of what was there. Repeatable.

    Of two nodes that do it at once, one collides with the other's mark, and does its work again.
    """
    marked = (rate.c.what == What.CLOSED) & (rate.c.day == str(day))
    if not connection.execute(sa.select(rate.c.day).where(marked).with_for_update()).first():
        _insert(connection, What.CLOSED, [Count(day, "", "", False, 1)])
    for what, ones in counts.items():
        connection.execute(rate.delete().where(rate.c.what == what, rate.c.day == str(day)))
        _insert(connection, what, ones)


def amend(connection: sa.Connection, day: date, counts: Mapping[What, Count]) -> None:
    """Add these to the sums of their day, if they are made; what is below 0 is taken away."""
    marked = (rate.c.what == What.CLOSED) & (rate.c.day == str(day))
    if connection.execute(sa.select(rate.c.day).where(marked).with_for_update()).first():
        for what, one in counts.items():
            _add(connection, what, one)


def add_signed(connection: sa.Connection, node: str, numbers: Mapping[tuple[str, date], int]) -> None:
    """Add the mails that *node* has signed: by wiki and day."""
    for (wiki, day), number in sorted(numbers.items()):
        _add(connection, What.SIGNED, Count(day, wiki, node, False, number))


def signed_since(connection: sa.Connection, day: date) -> int:
    """How many mails were signed from that day on, the day included."""
    query = sa.select(sa.func.coalesce(sa.func.sum(rate.c.number), 0))
    query = query.where(rate.c.what == What.SIGNED, rate.c.day >= str(day))
    return int(connection.execute(query).scalar_one())


def first_signed(connection: sa.Connection) -> date | None:
    """The first day of which it is known that mail was signed."""
    day = connection.execute(
        sa.select(sa.func.min(rate.c.day)).where(rate.c.what == What.SIGNED)
    ).scalar_one()
    return date.fromisoformat(day) if day else None


def last_signed(connection: sa.Connection, since: date) -> dict[str, date]:
    """The last day on which a mail of each wiki was signed, if that is not before *since*."""
    query = sa.select(rate.c.wiki, sa.func.max(rate.c.day)).where(
        rate.c.what == What.SIGNED, rate.c.day >= str(since)
    )
    return {wiki: date.fromisoformat(day) for wiki, day in connection.execute(query.group_by(rate.c.wiki))}


def _add(connection: sa.Connection, what: What, one: Count) -> None:
    place = (rate.c.what == what) & (rate.c.day == str(one.day)) & (rate.c.wiki == one.wiki)
    place &= (rate.c.key == one.key) & (rate.c.hard == one.hard)
    more = rate.update().where(place).values(number=rate.c.number + one.number)
    if not connection.execute(more).rowcount:
        _insert(connection, what, [one])


def _insert(connection: sa.Connection, what: What, counts: Iterable[Count]) -> None:
    rows = [
        {"what": what, "day": str(one.day), "wiki": one.wiki, "key": one.key, "hard": one.hard,
         "number": one.number}
        for one in counts
    ]  # fmt: skip
    if rows:
        connection.execute(rate.insert(), rows)


def _counted(connection: sa.Connection, what: What, day: date) -> Iterator[Count]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if what is What.ACTION:
        yield from _acted(connection, start)
        return
    of = [bounce.c.provider] if what is What.PROVIDER else [bounce.c.wiki, bounce.c.category]
    query = sa.select(*of, bounce.c.hard, sa.func.count()).where(
        bounce.c.received >= start, bounce.c.received < start + DAY
    )
    for *whose, key, hard, number in connection.execute(query.group_by(*of, bounce.c.hard)):
        yield Count(day, whose[0] if whose else "", key, hard, number)


def _acted(connection: sa.Connection, start: datetime) -> Iterator[Count]:
    for key, moment, state in (
        (action.c.effect, action.c.settled, State.DONE),
        (action.c.kind, action.c.created, State.SHADOW),
    ):
        query = sa.select(action.c.wiki, key, sa.func.count()).where(
            is_in(state), moment >= start, moment < start + DAY
        )
        for wiki, what, number in connection.execute(query.group_by(action.c.wiki, key)):
            yield Count(
                start.date(), wiki, f"shadow {what}" if state is State.SHADOW else what, False, number
            )

"""BounceHandler's records, and whom its own rule un-confirms.

Knows lists of users, and the rule. Does not know files, how the table bounce_records is exported (see
bounce_records), nor whom an address belongs to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .address import fold
from .bounce_records import Bad, NotReadable, Row, is_table, rows

__all__ = ["BounceHandlerRule", "Listed", "Record", "read", "unconfirmed"]


@dataclass(frozen=True)
class Record:
    """A permanent failure, as BounceHandler counts it."""

    address: str = field(repr=False)  #: folded
    at: datetime


@dataclass(frozen=True)
class Listed:
    """Somebody whom BounceHandler is said to have un-confirmed: by address, or by number."""

    address: str = field(default="", repr=False)  #: folded
    user_id: int = 0
    wiki: str = ""  #: "" if it is not said


@dataclass(frozen=True)
class BounceHandlerRule:
    """Its $wgBounceRecordLimit and $wgBounceRecordPeriod, with its defaults."""

    limit: int = 10
    period: timedelta = timedelta(days=7)


def read(text: str) -> list[Record] | list[Listed]:
    """bounce_records as CSV with a header or as JSON; else a list.

    A line of a list is `user id`, `user id,wiki` or a mail address. Raises NotReadable.
    """
    whole = text.lstrip("\ufeff \r\n")
    return [_record(row) for row in rows(whole)] if is_table(whole) else list(_listed(text))


def unconfirmed(records: Iterable[Record], rule: BounceHandlerRule) -> dict[str, list[datetime]]:
    """When the rule was met, by address: at each record with enough others in the period before it."""
    times: dict[str, list[datetime]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.at):
        times[record.address].append(record.at)
    met = {
        address: [
            at
            for number, at in enumerate(all_)
            if number + 1 >= rule.limit and at - all_[number + 1 - rule.limit] <= rule.period
        ]
        for address, all_ in times.items()
    }
    return {address: at for address, at in met.items() if at}


def _record(row: Row | Bad) -> Record:
    if isinstance(row, Bad):
        raise NotReadable(str(row))
    return Record(fold(row.address), row.sent)


def _listed(text: str) -> Iterator[Listed]:
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip().lstrip("\ufeff")
        user_id, _, wiki = entry.partition(",")
        if user_id.strip().isdecimal():
            yield Listed(user_id=int(user_id), wiki=wiki.strip())
        elif "@" in entry:
            yield Listed(fold(entry))
        elif entry and not entry.startswith(("#", "user_id")):
            raise NotReadable(f"line {number}: neither a user's number nor a mail address")

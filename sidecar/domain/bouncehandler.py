"""BounceHandler's records, and whom its own rule un-confirms.

Knows the table bounce_records as databases export it, lists of users, and the rule. Does not know files, nor
whom an address belongs to. What it says about a file quotes nothing of it: addresses are in there.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .address import fold

__all__ = ["BounceHandlerRule", "Listed", "NotReadable", "Record", "read", "unconfirmed"]

ADDRESS, TIME = "br_user_email", "br_timestamp"
DELIMITERS = (",", "\t", ";")


class NotReadable(Exception):
    """The file is neither bounce_records nor a list of users; the message says where and why."""


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
    """bounce_records as CSV (any usual delimiter, with a header) or JSON (a list of objects); else a list.

    A line of a list is `user id`, `user id,wiki` or a mail address. Raises NotReadable.
    """
    if text.lstrip().startswith("["):
        return [_record(row, f"entry {number}") for number, row in enumerate(_objects(text), 1)]
    header = text.lstrip("\ufeff \n").partition("\n")[0]
    if ADDRESS in header:
        rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff \n")), delimiter=_delimiter(header))
        try:
            return [_record(row, f"row {number}") for number, row in enumerate(rows, 1)]
        except csv.Error:
            raise NotReadable("begins like CSV and cannot be read on") from None
    return list(_listed(text))


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


def _objects(text: str) -> list[Mapping[str, object]]:
    try:
        found = json.loads(text)
    except ValueError:
        raise NotReadable("begins like JSON and is none") from None
    if not all(isinstance(row, dict) for row in found):
        raise NotReadable("want a list of objects")
    return list(found)


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _record(row: Mapping[str, object], place: str) -> Record:
    address, time = row.get(ADDRESS), row.get(TIME)
    if not address or not time:
        raise NotReadable(f"{place}: no {TIME if address else ADDRESS}")
    return Record(fold(str(address)), _time(str(time).strip(), place))


def _time(text: str, place: str) -> datetime:
    """MediaWiki's 14 digits, or ISO 8601; UTC if no zone is given."""
    try:
        time = (
            datetime.strptime(text, "%Y%m%d%H%M%S")
            if len(text) == 14 and text.isdecimal()
            else datetime.fromisoformat(text)
        )
    except ValueError:
        raise NotReadable(f"{place}: {TIME} is neither 14 digits nor ISO 8601") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


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

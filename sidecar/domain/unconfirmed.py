"""The list of un-confirmed users, as it moves from one installation to another: CSV or JSON.

Knows its columns and what makes a line good. Does not know files or databases. No mail address is in it.
"""

import csv
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from .history import CLOCK_SKEW
from .json_text import NotJson, parse

__all__ = ["COLUMNS", "Listing", "Unconfirmed", "as_csv", "as_json", "read"]

LARGEST_USER = 2**63 - 1  # what a database can number
LONGEST = {"reason": 500, "policy": 200}  # characters that a history keeps

_FINGERPRINT = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Unconfirmed:
    """A user whom we un-confirmed, with all that it takes to explain it and to take it back."""

    wiki: str
    user_id: int
    unconfirmed_at: datetime
    confirmed_at: datetime  #: the confirmation that was taken
    fingerprint: str  #: the wiki's keyed hash of the address
    forget_until: datetime  #: bounces of mail sent up to here count no more
    confirmed_before: datetime  #: when the oldest counted mail was sent
    policy: str  #: thresholds in force
    reason: str


COLUMNS = tuple(field.name for field in fields(Unconfirmed))
_TIMES = tuple(field.name for field in fields(Unconfirmed) if field.type is datetime)


@dataclass(frozen=True)
class Listing:
    """What was read."""

    good: tuple[Unconfirmed, ...]
    problems: tuple[str, ...]  #: each with its line


def as_csv(entries: Iterable[Unconfirmed]) -> str:
    """With a header; times in ISO 8601."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(map(_plain, entries))
    return text.getvalue()


def as_json(entries: Iterable[Unconfirmed]) -> str:
    """A list of objects, one on each line."""
    lines = ",\n".join(json.dumps(_plain(entry), ensure_ascii=False) for entry in entries)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def read(text: str, wikis: Collection[str], now: datetime) -> Listing:
    """Either of the two. Never raises: what is wrong is told, all of it."""
    good: list[Unconfirmed] = []
    problems: list[str] = []
    for place, entry in _entries(text.removeprefix("\ufeff")):
        wrong = [entry] if isinstance(entry, str) else list(_wrong(entry, wikis, now))
        problems += [f"{place}: {one}" for one in wrong]
        if not wrong and not isinstance(entry, str):
            good.append(_made(entry))
    return Listing(tuple(good), tuple(problems))


def _plain(entry: Unconfirmed) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(entry).items()
    }


def _entries(text: str) -> Iterator[tuple[str, Mapping[str, object] | str]]:
    """Each with its place; a str says what is wrong with it as a whole."""
    if text.lstrip().startswith("["):
        yield from _objects(text)
        return
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(table, [])
        if sorted(header) != sorted(COLUMNS):
            yield "line 1", f"want the columns {', '.join(COLUMNS)}"
            return
        for row in table:
            place = f"line {table.line_num}"
            if row:
                whole = len(row) == len(header)
                yield (
                    place,
                    dict(zip(header, row, strict=True)) if whole else f"{len(row)} values, not {len(header)}",
                )
    except csv.Error:
        yield f"line {table.line_num}", "this is no CSV"


def _objects(text: str) -> Iterator[tuple[str, Mapping[str, object] | str]]:
    try:
        found = parse(text)
    except NotJson as error:
        yield "file", str(error)
        return
    for number, entry in enumerate(found, 1):
        whole = isinstance(entry, dict) and sorted(entry) == sorted(COLUMNS)
        yield f"entry {number}", entry if whole else f"want an object of {', '.join(COLUMNS)}"


def _wrong(entry: Mapping[str, object], wikis: Collection[str], now: datetime) -> Iterator[str]:
    """All that is wrong with a line, without quoting it."""
    if entry["wiki"] not in wikis:
        yield "wiki: not configured here"
    if not _is_user(entry["user_id"]):
        yield "user_id: no user's number"
    if not _FINGERPRINT.fullmatch(str(entry["fingerprint"])):
        yield "fingerprint: none"
    for name, longest in LONGEST.items():
        value = entry[name]
        if not isinstance(value, str) or len(value) > longest or not value.isprintable() or "@" in value:
            yield f"{name}: want at most {longest} printable characters, and no mail address"
    times = {name: _time(entry[name]) for name in _TIMES}
    for name, time in times.items():
        if time is None:
            yield f"{name}: no time with its zone, as 2026-11-20T14:30:00+00:00"
        elif time > now + CLOCK_SKEW:
            yield f"{name}: in the future"
    taken, when = times["confirmed_at"], times["unconfirmed_at"]
    if taken and when and taken > when:
        yield "confirmed_at: later than unconfirmed_at"


def _is_user(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= LARGEST_USER


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _made(entry: Mapping[str, object]) -> Unconfirmed:
    times = {name: datetime.fromisoformat(str(entry[name])).astimezone(UTC) for name in _TIMES}
    return Unconfirmed(
        wiki=str(entry["wiki"]),
        user_id=int(str(entry["user_id"])),
        fingerprint=str(entry["fingerprint"]),
        policy=str(entry["policy"]),
        reason=str(entry["reason"]),
        **times,
    )

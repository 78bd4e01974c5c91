"""BounceHandler's table bounce_records, as databases hand it out and as they export it.

Knows the columns, the spellings of a time, and the delimiters, headers and escapes of exports. Does not know
files or databases, nor what a record means. What it says about a row quotes nothing of it: addresses are in
there.

Its extension writes (includes/ProcessBounceEmails.php): br_user_email, the address that the user had when the
bounce came; br_timestamp, when the mail was *sent*, out of its return path; br_reason, the Subject of the
bounce. All three may be any octets: they become text with lone surrogates for what is not UTF-8.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

from .json_text import NotJson, parse

__all__ = [
    "ADDRESS", "COLUMNS", "Bad", "NotReadable", "Owner", "Row", "as_text", "is_table", "owner_of", "row_of",
    "rows",
]  # fmt: skip

NUMBER, ADDRESS, TIME, REASON = "br_id", "br_user_email", "br_timestamp", "br_reason"
USER, WIKI, CONFIRMED = "user_id", "wiki", "user_email_authenticated"

#: What a table may bring, in the order in which an export without a header has it.
COLUMNS = (NUMBER, ADDRESS, TIME, REASON, USER, WIKI, CONFIRMED)

DELIMITERS = (",", "\t", ";")
LARGEST_USER = 2**63 - 1  # what a database can number

_HEX = re.compile(r"0x((?:[0-9A-Fa-f]{2})+)")  # mysql --binary-as-hex, phpMyAdmin
_ESCAPE = re.compile(r"\\([\\tn0])")  # mysql --batch
_ESCAPED = {"\\": "\\", "t": "\t", "n": "\n", "0": "\0"}
_NULLS = ("", "NULL", r"\N")


class NotReadable(Exception):
    """The file is neither bounce_records nor a list of users; the message says where and why."""


@dataclass(frozen=True)
class Owner:
    """Whose an address is now, as the wiki's table `user` says or as the export does."""

    wiki: str  #: "" if the export does not say
    user_id: int
    confirmed: datetime | None  #: since when the address is confirmed; None if it is not


@dataclass(frozen=True)
class Row:
    """One record."""

    number: int  #: br_id, or the place in the file if that is left out
    address: str = field(repr=False)  #: as it stands there
    sent: datetime
    reason: str = field(default="", repr=False)
    owner: Owner | None = None  #: None if the export does not say


@dataclass(frozen=True)
class Bad:
    """A row that is no record."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


def is_table(text: str) -> bool:
    """Whether an export is meant: JSON, or a header that names the address."""
    return text.startswith(("[", "{")) or ADDRESS in text.partition("\n")[0]


def rows(text: str) -> Iterator[Row | Bad]:
    """An export as CSV (comma, tab or semicolon, with or without a header) or as JSON (a list of objects, or
    one on each line). Raises NotReadable if it is none of these.
    """
    text = text.lstrip("\ufeff \r\n")
    if text.startswith(("[", "{")):
        yield from (row_of(entry, place) for place, entry in _objects(text))
        return
    try:
        yield from (row_of(entry, place) for place, entry in _lines(text))
    except csv.Error:
        raise NotReadable("begins like CSV and cannot be read on") from None


def row_of(entry: Mapping[str, object], place: str) -> Row | Bad:
    """The record in *entry*, by column, as a database or an export gave it."""
    address, time = as_text(entry.get(ADDRESS)), as_text(entry.get(TIME)).strip()
    if not address or not time:
        return Bad(place, f"no {TIME if address else ADDRESS}")
    number = as_text(entry.get(NUMBER)).strip() or place.rpartition(" ")[2]
    if not _is_number(number):
        return Bad(place, f"{NUMBER} is no number")
    try:
        sent, owner = _time(time, TIME), owner_of(entry)
    except ValueError as error:
        return Bad(place, str(error))
    return Row(int(number), address, sent, as_text(entry.get(REASON)), owner)


def owner_of(entry: Mapping[str, object]) -> Owner | None:
    """Who stands in *entry*, None if nobody does. Raises ValueError."""
    user = as_text(entry.get(USER)).strip()
    if user in _NULLS:
        return None
    if not _is_number(user):
        raise ValueError(f"{USER} is no user's number")
    confirmed = as_text(entry.get(CONFIRMED)).strip()
    since = None if confirmed in _NULLS else _time(confirmed, CONFIRMED)
    return Owner(as_text(entry.get(WIKI)).strip(), int(user), since)


def _objects(text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        found = parse(text) if text.startswith("[") else [parse(line) for line in _lines_of_json(text)]
    except NotJson:
        raise NotReadable("begins like JSON and is none") from None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise NotReadable("want a list of objects")
    return ((f"entry {number}", entry) for number, entry in enumerate(found, 1))


def _lines_of_json(text: str) -> Iterable[str]:
    return (line for line in text.split("\n") if line.strip())


def _lines(text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    # A subject may begin with a quotation mark: `mysql --batch` does not quote, it escapes.
    escaped = delimiter == "\t" and not first.startswith('"')
    lines = io.StringIO(text, newline="")
    table = (
        csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        if escaped
        else csv.reader(lines, delimiter=delimiter)
    )
    begin = next(table, [])
    columns, above = (begin, []) if ADDRESS in begin else (list(COLUMNS), [begin])
    if above and isinstance(row_of(dict(zip(COLUMNS, begin, strict=False)), "row 1"), Bad):
        raise NotReadable(f"neither JSON nor a table of {', '.join(COLUMNS[:4])}")
    for number, fields in enumerate((fields for fields in chain(above, table) if fields), 1):
        values = (_ESCAPE.sub(_unescaped, value) for value in fields) if escaped else fields
        yield f"row {number}", dict(zip(columns, values, strict=False))


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED[found[1]]


def as_text(value: object) -> str:
    """What a database's driver or an export calls a value, as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "surrogateescape")
    text = "" if value is None else str(value)
    octets = _HEX.fullmatch(text)
    return bytes.fromhex(octets[1]).decode("utf-8", "surrogateescape") if octets else text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= LARGEST_USER


def _time(text: str, column: str) -> datetime:
    """MediaWiki's 14 digits, or ISO 8601; UTC if no zone is given. Raises ValueError."""
    try:
        time = (
            datetime.strptime(text, "%Y%m%d%H%M%S")
            if len(text) == 14 and text.isdecimal()
            else datetime.fromisoformat(text)
        )
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{column} is neither 14 digits nor ISO 8601") from None

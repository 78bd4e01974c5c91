"""Numbers in rows and columns: for a terminal of 80 columns, and for a spreadsheet.

Knows which columns there are, and what a spreadsheet would take for a formula. Does not know where the
numbers come from.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sidecar.domain.meanings import MEANINGS
from sidecar.domain.rule import Category
from sidecar.services.statistics import By, Numbers, Statistics

__all__ = ["COLUMNS", "as_csv", "as_table", "limited"]

FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # with which a cell is taken for one
WIDTH = 80  # columns of a terminal
OTHERS = "others"

_FAILURES = ("hard", "soft")
_ALL = (
    *_FAILURES, "unconfirmed", "submitted", "warned", "restored", "would_unconfirm", "would_warn", "signed",
    "rate",
)  # fmt: skip

#: The fields of a row in CSV and JSON, behind its name. They keep their names; new ones come last.
COLUMNS = {By.DAY: _ALL, By.WIKI: _ALL, By.PROVIDER: _FAILURES, By.CATEGORY: _FAILURES}


def limited(found: Statistics, limit: int | None) -> Statistics:
    """At most *limit* rows, and one of all the others: of days the earlier ones."""
    if limit is None or len(found.rows) <= limit:
        return found
    rows = list(found.rows.items())
    kept, rest = (rows[-limit:], rows[:-limit]) if found.by is By.DAY else (rows[:limit], rows[limit:])
    others = Numbers()
    for _, row in rest:
        others.add(row)
    together = [(OTHERS, others)]
    ordered = [*together, *kept] if found.by is By.DAY else [*kept, *together]
    return replace(found, rows=dict(ordered))


def as_csv(found: Statistics) -> str:
    """By RFC 4180, with a header; a rate is a fraction, and what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([found.by, *COLUMNS[found.by]])
    for key, row in found.rows.items():
        values = (getattr(row, name) for name in COLUMNS[found.by])
        writer.writerow([_no_formula(key), *("" if value is None else value for value in values)])
    return text.getvalue()


def _no_formula(text: str) -> str:
    """An apostrophe before it: the spreadsheet shows what it would have computed."""
    return f"'{text}" if text.startswith(tuple(FORMULA)) else text


def as_table(found: Statistics) -> Iterator[str]:
    """Lines; numbers to the right, and a line of totals."""
    heads, cells = _shape(found)
    body = [[key or "-", *cells(row)] for key, row in found.rows.items()]
    total = ["total", *cells(found.total)]
    columns = list(zip(heads, *body, total, strict=True))
    widths = [max(map(len, column)) for column in columns]
    yield _line(heads, widths)
    yield "-" * (sum(widths) + 2 * len(widths) - 2)
    for key, row in zip(found.rows, body, strict=True):
        yield f"{_line(row, widths)}{_meaning(found.by, key, sum(widths) + 2 * len(widths))}"
    yield "-" * (sum(widths) + 2 * len(widths) - 2)
    yield _line(total, widths)


def _shape(found: Statistics) -> tuple[list[str], Callable[[Numbers], list[str]]]:
    bounces = found.total.bounces

    def failures(row: Numbers) -> list[str]:
        return [str(row.hard), str(row.soft), f"{row.bounces / bounces:.1%}" if bounces else "-"]

    def everything(row: Numbers) -> list[str]:
        done = map(str, (row.unconfirmed, row.warned, row.restored))
        rate = "-" if row.rate is None else f"{row.rate:.2%}"
        return [*failures(row), *done, "-" if row.signed is None else str(row.signed), rate]

    heads = [str(found.by), "hard", "soft", "share"]
    if COLUMNS[found.by] is _FAILURES:
        return heads, failures
    return [*heads, "un-confirmed", "warned", "restored", "signed", "rate"], everything


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if at else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()


def _meaning(by: By, key: str, used: int) -> str:
    """What a category means, as far as there is room."""
    if by is not By.CATEGORY or key not in set(Category):
        return ""
    return f"  {MEANINGS[Category(key)]}"[: WIDTH - used + 2]

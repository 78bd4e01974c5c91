"""The list of un-confirmed users: what is written is read, and whatever else is told line by line."""

import csv
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.domain.unconfirmed import COLUMNS, Listing, Unconfirmed, as_csv, as_json, read

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WIKIS = ("enwiki", "de-wiki")
ONE = Unconfirmed(
    "enwiki", 7, NOW - timedelta(days=1), NOW - timedelta(days=400), "ab12", NOW - timedelta(days=1),
    NOW - timedelta(days=9), "streak of 3", "3 hard bounces, the first 8 days old",
)  # fmt: skip

_TIMES = st.datetimes(datetime(2001, 1, 1), NOW.replace(tzinfo=None)).map(
    lambda time: time.replace(tzinfo=UTC)
)
_WORDS = st.text(st.characters(exclude_characters="@", exclude_categories=("C", "Z")), max_size=60) | st.just(
    'a, "quoted"; word'
)


@st.composite
def entries(draw: st.DrawFn) -> Unconfirmed:
    taken, when = sorted((draw(_TIMES), draw(_TIMES)))
    return Unconfirmed(
        wiki=draw(st.sampled_from(WIKIS)),
        user_id=draw(st.integers(1, 2**63 - 1)),
        unconfirmed_at=when,
        confirmed_at=taken,
        fingerprint=draw(st.text("0123456789abcdef", min_size=1, max_size=64)),
        forget_until=draw(_TIMES),
        confirmed_before=draw(_TIMES),
        policy=draw(_WORDS),
        reason=draw(_WORDS),
    )


@pytest.mark.slow
@given(st.lists(entries(), max_size=5))
def test_what_is_written_is_read_in_both_spellings(several: list[Unconfirmed]) -> None:
    assert (
        read(as_csv(several), WIKIS, NOW) == read(as_json(several), WIKIS, NOW) == Listing(tuple(several), ())
    )


@given(st.text() | st.text(alphabet='[]{}",\n\r\0' + "".join(COLUMNS), max_size=80))
@example("[" * 5000)
@example("[1]")
@example("[{}]")
def test_whatever_the_file_holds_it_is_a_list_or_told(text: str) -> None:
    found = read(text, WIKIS, NOW)
    assert not found.good
    assert found.problems or text.strip("\ufeff").lstrip().startswith("[")


WRONG = {
    ("wiki", "frwiki"): "wiki: not configured here",
    ("user_id", "-7"): "user_id: no user's number",
    ("user_id", "0"): "user_id: no user's number",
    ("user_id", "9223372036854775808"): "user_id: no user's number",
    ("unconfirmed_at", "2026-02-01"): "unconfirmed_at: no time with its zone, as 2026-11-20T14:30:00+00:00",
    ("unconfirmed_at", "2026-04-01T00:00:00+00:00"): "unconfirmed_at: in the future",
    ("confirmed_at", "2026-03-01T00:00:00+00:00"): "confirmed_at: later than unconfirmed_at",
    ("forget_until", ""): "forget_until: no time with its zone, as 2026-11-20T14:30:00+00:00",
    ("fingerprint", ""): "fingerprint: none",
    ("fingerprint", "x" * 65): "fingerprint: none",
    ("reason", "ann@remote.example"): "reason: want at most 500 printable characters, and no mail address",
    ("reason", "\x1b[2J"): "reason: want at most 500 printable characters, and no mail address",
    ("policy", "x" * 201): "policy: want at most 200 printable characters, and no mail address",
}


@pytest.mark.parametrize(("column", "value"), WRONG)
def test_a_bad_line_is_named_and_not_quoted(column: str, value: str) -> None:
    head, line = as_csv([ONE]).splitlines()
    [fields] = csv.reader([line])
    fields[COLUMNS.index(column)] = value
    bad = ",".join('"' + one.replace('"', '""') + '"' for one in fields)
    found = read("\n".join([head, line, bad, line]), WIKIS, NOW)
    assert found == Listing((ONE, ONE), (f"line 3: {WRONG[column, value]}",))


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = read(as_csv([ONE]).replace("enwiki,7", "frwiki,x") + "1,2\n", WIKIS, NOW)
    assert found.problems == (
        "line 2: wiki: not configured here",
        "line 2: user_id: no user's number",
        "line 3: 2 values, not 9",
    )


@pytest.mark.parametrize("text", ["", "wiki,user_id\nenwiki,7\n", as_csv([ONE]).replace("reason", "because")])
def test_other_columns_are_refused(text: str) -> None:
    assert read(text, WIKIS, NOW).problems == (f"line 1: want the columns {', '.join(COLUMNS)}",)


def test_it_holds_no_mail_address() -> None:
    assert "@" not in as_csv([ONE]) + as_json([ONE])

"""Exports of bounce_records, in every spelling; whatever else a file holds, and nothing of it quoted."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.domain.bounce_records import COLUMNS, Bad, NotReadable, Owner, Row, row_of, rows

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ANN = Row(1, "ann@remote.example", T0, "Returned mail: User unknown", Owner("enwiki", 7, SINCE))
HEADER = ",".join(COLUMNS)
LINE = "1,ann@remote.example,20260301120000,Returned mail: User unknown,7,enwiki,20260101000000"
AS_JSON = dict(zip(COLUMNS, LINE.split(","), strict=True))


def in_hex(text: str) -> str:
    return "0x" + text.encode().hex().upper()


EXPORTS = {
    "a header": f"{HEADER}\n{LINE}\n",
    "no header": LINE,
    "tabs": f"{HEADER}\n{LINE}\n".replace(",", "\t"),
    "tabs, no header, and what Windows saves": "\ufeff" + LINE.replace(",", "\t") + "\r\n",
    "semicolons, in quotes": '"' + HEADER.replace(",", '";"') + '"\n"' + LINE.replace(",", '";"') + '"\n',
    "JSON": json.dumps([AS_JSON]),
    "JSON lines": json.dumps(AS_JSON) + "\n",
    "hexadecimal": ",".join([HEADER + "\n1", *map(in_hex, LINE.split(",")[1:4]), *LINE.split(",")[4:]]),
    "ISO 8601": f"{HEADER}\n{LINE}".replace("20260301120000", "2026-03-01 13:00:00+01").replace(
        "20260101000000", "2026-01-01T00:00:00"
    ),
}  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS)
def test_one_record_has_many_spellings(export: str) -> None:
    assert list(rows(EXPORTS[export])) == [ANN]


@pytest.mark.parametrize("null", ["", "NULL", r"\N"])
def test_an_unconfirmed_address_and_an_unknown_user_are_null(null: str) -> None:
    [unconfirmed] = rows(f"{HEADER}\n1,a@b.example,20260301120000,x,7,enwiki,{null}")
    [unknown] = rows(f"{HEADER}\n1,a@b.example,20260301120000,x,{null},{null},{null}")
    assert isinstance(unconfirmed, Row)
    assert unconfirmed.owner == Owner("enwiki", 7, None)
    assert isinstance(unknown, Row)
    assert unknown.owner is None


def test_what_mysql_escapes_and_what_it_does_not_quote_come_through() -> None:
    subject = '"Undelivered", tab\there, line\nthere, back\\slash'
    escaped = subject.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    text = "br_id\tbr_user_email\tbr_timestamp\tbr_reason\n" + f"1\ta@b.example\t20260301120000\t{escaped}\n"
    [row] = rows(text)
    assert isinstance(row, Row)
    assert row.reason == subject


def test_a_database_gives_octets_and_times() -> None:
    entry = {
        "br_id": 5,
        "br_user_email": b"a\xff@b.example",
        "br_timestamp": b"20260301120000",
        "br_reason": None,
    }
    assert row_of(entry, "br_id 5") == Row(5, "a\udcff@b.example", T0)
    assert row_of({**entry, "br_timestamp": T0}, "br_id 5") == Row(5, "a\udcff@b.example", T0)


BAD = {
    "2,ann@remote.example,yesterday,x": "row 2: br_timestamp is neither 14 digits nor ISO 8601",
    "2,ann@remote.example,20269901120000,x": "row 2: br_timestamp is neither 14 digits nor ISO 8601",
    "2,,20260301120000,x": "row 2: no br_user_email",
    "2,ann@remote.example": "row 2: no br_timestamp",
    "ann,ann@remote.example,20260301120000,x": "row 2: br_id is no number",
    "2,ann@remote.example,20260301120000,x,ann": "row 2: user_id is no user's number",
    "2,ann@remote.example,20260301120000,x,9223372036854775808": "row 2: user_id is no user's number",
    "2,ann@remote.example,20260301120000,x,7,enwiki,never": "row 2: user_email_authenticated is neither",
    "2,ann@remote.example,0001-01-01T00:00:00+14:00,x": "row 2: br_timestamp is neither",
}  # fmt: skip


@pytest.mark.parametrize("line", BAD)
def test_a_bad_row_is_named_and_the_others_stay(line: str) -> None:
    first, bad, last = rows(f"{HEADER}\n{LINE}\n{line}\n{LINE}")
    assert first == last == ANN
    assert isinstance(bad, Bad)
    assert str(bad).startswith(BAD[line])
    assert "ann" not in str(bad)


@pytest.mark.parametrize(
    "text", ["", "7\n8\n", "PK\x03\x04", "[", "[1]", "{}\n{", "INSERT INTO bounce_records VALUES (1, 'a@b');"]
)  # fmt: skip
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(NotReadable):
        list(rows(text))


@given(st.text() | st.text(alphabet='0123456789,;\t\n\r"{}[]\\xann@br_user_email', max_size=60))
@example('{"br_user_email": []}')
@example("[" * 5000)
@example("1,a@b,20260301120000,\0")
def test_whatever_the_file_holds_it_is_a_record_or_told(text: str) -> None:
    try:
        found = list(rows(text))
    except NotReadable as error:
        found = [Bad("file", str(error))]
    assert all(isinstance(row, Row | Bad) for row in found)

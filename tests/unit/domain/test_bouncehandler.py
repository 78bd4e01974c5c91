"""BounceHandler's exports, its rule, and that nothing of a file is quoted."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.bounce_records import NotReadable
from sidecar.domain.bouncehandler import BounceHandlerRule, Listed, Record, read, unconfirmed

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ANN = Record("ann@remote.example", T0)

EXPORTS = {
    "csv": "br_id,br_user_email,br_timestamp,br_reason\n1,Ann@Remote.example,20260301120000,failed\n",
    "mysql -B": "br_user_email\tbr_timestamp\tbr_reason\nann@remote.example\t20260301120000\tno, really\n",
    "semicolons": '\ufeff"br_user_email";"br_timestamp"\n"ann@remote.example";"2026-03-01 12:00:00"\n',
    "zone": "br_user_email,br_timestamp\nann@remote.example,2026-03-01T13:00:00+01:00\n",
    "json": '[{"br_user_email": "ann@remote.example", "br_timestamp": "20260301120000", "br_reason": "x"}]',
    "json, a number": '[{"br_user_email": "ann@remote.example", "br_timestamp": 20260301120000}]',
}


@pytest.mark.parametrize("export", EXPORTS)
def test_records_are_read_however_they_were_exported(export: str) -> None:
    assert read(EXPORTS[export]) == [ANN]


def test_a_list_of_users_may_mix_numbers_and_addresses() -> None:
    assert read("# un-confirmed\n7\n8,dewiki\n\n<Ann@Remote.example>\n") == [
        Listed(user_id=7),
        Listed(user_id=8, wiki="dewiki"),
        Listed("ann@remote.example"),
    ]


WRONG = {
    "br_user_email,br_timestamp\nann@remote.example,yesterday\n": "row 1: br_timestamp is neither",
    "br_user_email,br_timestamp\nann@remote.example,20269901120000\n": "row 1: br_timestamp is neither",
    "br_user_email,br_reason\nann@remote.example,x\n": "row 1: no br_timestamp",
    '[{"br_timestamp": "20260301120000"}]': "entry 1: no br_user_email",
    '["ann@remote.example"]': "want a list of objects",
    "[ann@remote.example": "begins like JSON and is none",
    "7\nAnn of remote.example\n": "line 2: neither a user's number nor a mail address",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_without_quoting_it(text: str) -> None:
    with pytest.raises(NotReadable) as caught:
        read(text)
    assert str(caught.value).startswith(WRONG[text])
    assert "ann" not in str(caught.value).lower()


def records(*days: float) -> list[Record]:
    return [Record("ann@remote.example", T0 + day * DAY) for day in days]


@pytest.mark.parametrize(
    ("days", "met"),
    [
        ((0, 1, 2), [2]),
        ((0, 1, 7), [7]),
        ((0, 1, 7.01), []),
        ((0, 1, 7.01, 7.02), [7.02]),
        ((2, 0, 1, 3), [2, 3]),
        ((0, 1), []),
    ],
)
def test_its_rule_is_so_many_within_the_period_before_each(days: tuple[float, ...], met: list[float]) -> None:
    found = unconfirmed(records(*days), BounceHandlerRule(limit=3))
    assert found.get("ann@remote.example", []) == [T0 + day * DAY for day in met]


def test_each_address_counts_for_itself() -> None:
    mixed = [*records(0, 1), Record("bob@remote.example", T0)]
    assert unconfirmed(mixed, BounceHandlerRule(limit=3)) == {}


def test_no_address_is_in_the_words_of_a_record() -> None:
    assert "ann" not in repr([ANN, Listed("ann@remote.example")])

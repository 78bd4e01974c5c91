"""Statistics are what somebody would count who had all rows, whenever the days were summed."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.domain.unconfirmed import Unconfirmed
from sidecar.services.statistics import By, Numbers, Statistics, statistics
from sidecar.storage import ledger, moving, rates
from sidecar.storage.actions import State
from sidecar.storage.schema import action, bounce, metadata

TODAY = date(2026, 11, 28)
T0 = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = st.integers(0, 6)
WIKIS = st.sampled_from(["enwiki", "dewiki"])
EFFECTS = {"unconfirmed": "unconfirmed", "submitted": "submitted", "warned": "warned", "restored": "restored"}
WOULD = {"unconfirm": "would_unconfirm", "warn": "would_warn", "mistyped": "would_warn"}


class Back(NamedTuple):
    """A mail comes back: a new one, or one that did before."""

    wiki: str
    user_id: int
    received: int  #: days ago
    category: str
    hard: bool
    provider: str
    rule: str


class Acted(NamedTuple):
    wiki: str
    days: int
    state: State
    kind: str
    effect: str


class Summed(NamedTuple):
    days: int


BACK = st.builds(
    Back,
    WIKIS,
    st.integers(1, 4),
    DAYS,
    st.sampled_from(["user-unknown", "mailbox-full"]),
    st.booleans(),
    st.sampled_from(["example.com", "example.net", ""]),
    st.sampled_from(["", "a-rule", "bouncehandler-record"]),
)
ACTED = st.builds(
    Acted,
    WIKIS,
    DAYS,
    st.sampled_from(State),
    st.sampled_from(list(WOULD)),
    st.sampled_from([*EFFECTS, "already"]),
)
SUMMED = st.builds(Summed, st.integers(1, 6))


ENGINE = sa.create_engine("sqlite://")
metadata.create_all(ENGINE)


@contextlib.contextmanager
def history() -> Iterator[sa.Connection]:
    """An empty one; what is entered is forgotten."""
    with ENGINE.connect() as connection:
        yield connection
        connection.rollback()


def enter(connection: sa.Connection, number: int, what: Back | Acted | Summed) -> None:
    match what:
        case Summed(days):
            day = TODAY - days * DAY
            rates.close(connection, day, rates.sums(connection, day))
        case Back(wiki, user_id, days, category, hard, provider, rule):
            at = T0 - days * DAY
            notice = ledger.Notice(f"{number}", b"", at, "bounce", wiki=wiki, user_id=user_id)
            one = ledger.Bounce(
                wiki, user_id, T0 - 9 * DAY, "a1b2c3", "k", at, category, hard, "", rule, provider,
                provider=provider,
            )  # fmt: skip
            notice_id = ledger.append(connection, notice)
            assert notice_id
            ledger.book(connection, notice_id, one, TODAY)
        case Acted(wiki, days, state, kind, effect):
            at = T0 - days * DAY
            row = {"wiki": wiki, "user_id": number, "kind": kind, "confirmed_before": at, "reason": ""}
            row |= {"state": state, "created": at, "due": at, "attempts": 0, "error": "", "fingerprint": ""}
            row |= {"effect": effect, "settled": at if state is State.DONE else None}
            connection.execute(action.insert().values(row))


def counted(connection: sa.Connection, by: By, since: date, until: date, wiki: str) -> dict[str, Numbers]:
    """By looking at each row."""
    found: dict[str, Numbers] = {}

    def one(row: sa.Row[tuple[object, ...]], moment: datetime | None, field: str) -> None:
        if moment and since <= moment.date() <= until and wiki in ("", row.wiki):
            key = str(moment.date()) if by is By.DAY else str(getattr(row, by))
            found.setdefault(key, Numbers()).add(Numbers(**{field: 1}))

    for row in connection.execute(sa.select(bounce)):
        one(row, row.received, "hard" if row.hard else "soft")
    for row in connection.execute(sa.select(action)) if by in (By.DAY, By.WIKI) else ():
        if row.state == State.DONE and row.effect in EFFECTS:
            one(row, row.settled, EFFECTS[row.effect])
        if row.state == State.SHADOW:
            one(row, row.created, WOULD[row.kind])
    return found


def shown(found: Statistics) -> dict[str, Numbers]:
    return {key: row for key, row in found.rows.items() if row != Numbers()}


@pytest.mark.slow
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    acted=st.lists(ACTED, max_size=8),
    came=st.lists(st.one_of(BACK, SUMMED), max_size=25),
    since=DAYS,
    until=DAYS,
    wiki=st.sampled_from(["", "enwiki"]),
)
def test_they_are_the_rows_whichever_days_are_summed_and_whatever_changed_since(
    acted: list[Acted], came: list[Back | Summed], since: int, until: int, wiki: str
) -> None:
    with history() as connection:
        for number, what in enumerate([*acted, *came]):
            enter(connection, number, what)
        first, last = TODAY - max(since, until) * DAY, TODAY - min(since, until) * DAY
        for by in By:
            only = "" if by is By.PROVIDER else wiki
            found = statistics(connection, by, first, last, only)
            expected = counted(connection, by, first, last, only)
            assert shown(found) == expected
            assert found.total.bounces == sum(row.bounces for row in expected.values())


def test_pardoned_and_inherited_failures_came_back_all_the_same() -> None:
    with history() as connection:
        enter(connection, 1, Back("enwiki", 1, 3, "user-unknown", True, "", "bouncehandler-record"))
        enter(connection, 2, Back("enwiki", 2, 3, "user-unknown", True, "", "a-rule"))
        connection.execute(bounce.update().values(pardon=0))
        assert statistics(connection, By.DAY, TODAY - 6 * DAY, TODAY).total.hard == 2


def test_an_act_that_moved_here_enters_the_sums_of_its_day() -> None:
    at = T0 - 3 * DAY
    moved = Unconfirmed("enwiki", 7, at, at - DAY, "f" * 64, at, at - 9 * DAY, "streak", "3 hard bounces")
    with history() as connection:
        enter(connection, 1, Back("enwiki", 1, 3, "user-unknown", True, "", ""))
        enter(connection, 2, Summed(3))
        assert moving.adopt(connection, moved, T0)
        assert statistics(connection, By.DAY, at.date(), TODAY).rows[str(at.date())].unconfirmed == 1


def test_the_rate_is_told_of_the_days_whose_mails_were_counted() -> None:
    with history() as connection:
        for number, days in enumerate((5, 5, 5, 2, 0)):
            enter(connection, number, Back("enwiki", number, days, "user-unknown", True, "", ""))
        rates.add_signed(connection, "node1", {("enwiki", TODAY - 2 * DAY): 30})
        rates.add_signed(connection, "node2", {("enwiki", TODAY - 2 * DAY): 10, ("enwiki", TODAY): 10})
        days = statistics(connection, By.DAY, TODAY - 6 * DAY, TODAY)
        rate = {key[-2:]: row.rate for key, row in days.rows.items()}
        assert rate == {"23": None, "24": None, "25": None, "26": 1 / 40, "27": None, "28": 1 / 10}
        assert (days.total.signed, days.total.rate) == (50, 2 / 50)
        wikis = statistics(connection, By.WIKI, TODAY - 6 * DAY, TODAY)
        assert (wikis.rows["enwiki"].bounces, wikis.rows["enwiki"].rate) == (5, 2 / 50)


def test_the_days_begin_where_something_is_known() -> None:
    with history() as connection:
        assert statistics(connection, By.DAY, TODAY - 9 * DAY, TODAY).rows == {}
        enter(connection, 1, Back("enwiki", 1, 2, "user-unknown", True, "", ""))
        found = statistics(connection, By.DAY, TODAY - 9 * DAY, TODAY)
        assert (found.kept_since, list(found.rows)) == (
            TODAY - 2 * DAY,
            ["2026-11-26", "2026-11-27", "2026-11-28"],
        )


def test_most_come_first() -> None:
    with history() as connection:
        for number, provider in enumerate(["b.example", "a.example", "c.example", "c.example"]):
            enter(connection, number, Back("enwiki", number, 0, "mailbox-full", False, provider, ""))
        found = statistics(connection, By.PROVIDER, TODAY, TODAY)
        assert list(found.rows) == ["c.example", "a.example", "b.example"]
        assert found.rows["c.example"].soft == 2

"""What each day brought: the largest curves by name, the others together; and what it costs to look."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.services.daily import Look, Series, daily
from sidecar.storage import glance, rates, signs, upgrading
from sidecar.storage.rates import Count, What
from tests.support.long_history import fill

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = NOW.date()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Callable[[int], sa.Connection]]:
    """Makes one of so many bounces."""
    engines: list[sa.Engine] = []

    def make(bounces: int) -> sa.Connection:
        engines.append(sa.create_engine(f"sqlite:///{tmp_path}/{len(engines)}.db"))
        connection = engines[-1].connect()
        upgrading.upgrade(connection)
        fill(connection, bounces, NOW)
        return connection

    yield make
    for engine in engines:
        engine.dispose()


def closed(connection: sa.Connection, what: What, *counts: Count) -> None:
    for day in {one.day for one in counts}:
        rates.close(connection, day, {what: [one for one in counts if one.day == day]})


def test_hard_and_soft_of_each_day_of_one_wiki_or_all(history: Callable[[int], sa.Connection]) -> None:
    connection = history(0)
    yesterday = TODAY - DAY
    closed(
        connection,
        What.CATEGORY,
        Count(yesterday, "enwiki", "user-unknown", True, 3),
        Count(yesterday, "enwiki", "mailbox-full", False, 4),
        Count(yesterday, "dewiki", "user-unknown", True, 5),
    )
    found = daily(connection, Look.FAILURES, TODAY, 3)
    assert found.days == (TODAY - 2 * DAY, yesterday, TODAY)
    assert found.series == (Series("hard", (0, 8, 0), 8), Series("soft", (0, 4, 0), 0))
    assert found.total == 12
    assert [one.numbers for one in daily(connection, Look.FAILURES, TODAY, 3, "dewiki").series] == [
        (0, 5, 0),
        (0, 0, 0),
    ]


def test_ten_providers_have_a_name_and_the_others_are_one(history: Callable[[int], sa.Connection]) -> None:
    connection = history(0)
    day = TODAY - DAY
    counts = [Count(day, "", f"p{at:02}.example", at % 2 == 0, 20 - at) for at in range(13)]
    closed(connection, What.PROVIDER, *counts, Count(day, "", "", True, 30))
    found = daily(connection, Look.PROVIDERS, TODAY, 2, "enwiki")
    names = [one.name for one in found.series]
    assert names == ["unknown", *(f"p{at:02}.example" for at in range(9)), "others"]
    assert found.series[-1] == Series("others", (11 + 10 + 9 + 8, 0), 10 + 8)
    assert found.total == 30 + sum(range(8, 21))


def test_today_is_counted_as_it_is_now(history: Callable[[int], sa.Connection]) -> None:
    connection = history(1000)
    found = daily(connection, Look.CATEGORIES, TODAY, 90)
    start = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    query = "SELECT count(*), sum(hard) FROM bounce WHERE received >= ?"
    today, hard = connection.exec_driver_sql(query, (f"{start:%Y-%m-%d %H:%M:%S.%f}",)).one()
    assert today > 0
    assert sum(one.numbers[-1] for one in found.series) == today
    assert [sum(one.total for one in found.series), hard > 0] == [1000, True]


def steps(connection: sa.Connection, look: Callable[[], object]) -> int:
    """What a look costs, in steps of SQLite's, which every machine takes alike."""
    taken = [0]

    def count() -> None:
        taken[0] += 1

    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_progress_handler(count, 1)
    look()
    driver.set_progress_handler(None, 1)
    return taken[0]


def test_an_overview_costs_no_more_after_many_bounces_and_rates_no_more_than_their_sums(
    history: Callable[[int], sa.Connection],
) -> None:
    """Tomorrow, of which nothing has to be counted yet."""
    tomorrow, cost = NOW + DAY, []
    for bounces in (1000, 40_000):
        connection = history(bounces)
        rates.close(connection, TODAY, rates.sums(connection, TODAY))

        def overview(connection: sa.Connection = connection) -> None:
            signs.vitals(connection, tomorrow)
            glance.glance(connection)

        cost.append(steps(connection, overview))
    assert cost[1] < 1.1 * cost[0], cost
    rows = connection.exec_driver_sql("SELECT count(*) FROM rate").scalar_one()
    looks = steps(connection, lambda: [daily(connection, look, tomorrow.date(), 90) for look in Look])
    assert looks < 60 * rows < 8 * 40_000, (looks, rows)  # of four looks at each bounce, one would be more


@pytest.mark.parametrize("look", Look)
def test_nothing_at_all_is_shown_as_nothing(history: Callable[[int], sa.Connection], look: Look) -> None:
    found = daily(history(0), look, date(2026, 1, 1), 7)
    assert (len(found.days), found.total) == (7, 0)

"""The numbers of each day: summed and counted they are the same."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.wiki import Effect
from sidecar.storage import ledger, rates
from sidecar.storage.actions import State
from sidecar.storage.database import Database
from sidecar.storage.rates import Count, What
from sidecar.storage.schema import action, bounce
from tests.support.sums_of_days import per_day

from . import rows
from .rows import DAY, T0, notice, owe

TODAY, SECOND = T0.date(), timedelta(seconds=1)
MIDNIGHT = T0.replace(hour=0)


def fail(c: sa.Connection, number: int, **changes: object) -> None:
    """A bounce of a mail of its own."""
    entry = replace(rows.bounce(T0 - timedelta(minutes=number)), **changes)  # type: ignore[arg-type]
    notice_id = ledger.append(c, notice(number))
    assert notice_id
    assert ledger.book(c, notice_id, entry)


def failures(c: sa.Connection) -> None:
    fail(c, 1, received=MIDNIGHT - SECOND / 1000)
    fail(c, 2, received=MIDNIGHT, provider="google")
    fail(c, 3, received=MIDNIGHT + DAY - SECOND / 1000, provider="google")
    fail(c, 4, received=T0, wiki="dewiki", hard=False, category="mailbox-full")
    fail(c, 5, received=MIDNIGHT + DAY)


def settled(c: sa.Connection) -> None:
    done = {"state": State.DONE, "effect": str(Effect.UNCONFIRMED), "settled": T0}
    c.execute(action.update().where(action.c.id == owe(c, user_id=1)).values(done))
    owe(c, user_id=2, shadow=True)
    owe(c, user_id=3)


async def counts_of(
    database: Database, what: What, since: date = TODAY, until: date = TODAY, wiki: str = ""
) -> list[Count]:
    return await database.read(lambda c: per_day(c, what, since, until, wiki))


async def close(database: Database, day: date = TODAY) -> None:
    await database.write(lambda c: rates.close(c, day, rates.sums(c, day)))


@pytest.mark.parametrize("is_closed", [False, True], ids=["counted", "summed"])
async def test_failures_by_category_and_provider_with_the_borders_of_a_day(
    database: Database, is_closed: bool
) -> None:
    await database.write(failures)
    if is_closed:
        await close(database)
    assert await counts_of(database, What.CATEGORY) == [
        Count(TODAY, "dewiki", "mailbox-full", False, 1),
        Count(TODAY, "enwiki", "user-unknown", True, 2),
    ]
    assert await counts_of(database, What.CATEGORY, wiki="dewiki") == [
        Count(TODAY, "dewiki", "mailbox-full", False, 1)
    ]
    assert await counts_of(database, What.PROVIDER) == [
        Count(TODAY, "", "", False, 1),
        Count(TODAY, "", "google", True, 2),
    ]
    days = await counts_of(database, What.CATEGORY, TODAY - 300 * DAY, TODAY + 300 * DAY)
    assert [(one.day, one.number) for one in days] == [
        (TODAY - DAY, 1), (TODAY, 1), (TODAY, 2), (TODAY + DAY, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("is_closed", [False, True], ids=["counted", "summed"])
async def test_actions_by_what_came_of_them(database: Database, is_closed: bool) -> None:
    await database.write(settled)
    if is_closed:
        await close(database)
    assert await counts_of(database, What.ACTION) == [
        Count(TODAY, "enwiki", "shadow unconfirm", False, 1),
        Count(TODAY, "enwiki", "unconfirmed", False, 1),
    ]


async def test_sums_outlive_what_they_count_and_may_be_made_again(database: Database) -> None:
    await database.write(failures)
    for _ in range(2):
        await close(database)
    before = await counts_of(database, What.CATEGORY)
    await database.write(lambda c: c.execute(bounce.delete()))
    assert await counts_of(database, What.CATEGORY) == before
    assert await database.read(lambda c: rates.closed(c, TODAY - DAY, TODAY + DAY)) == {TODAY}
    await close(database)
    assert await counts_of(database, What.CATEGORY) == []


async def test_a_day_with_nothing_in_it_is_closed_with_nothing(database: Database) -> None:
    assert await database.read(rates.first_day) is None
    await close(database)
    assert await counts_of(database, What.CATEGORY, TODAY - DAY, TODAY + DAY) == []
    assert await database.read(lambda c: rates.closed(c, TODAY, TODAY)) == {TODAY}


async def test_a_report_that_replaces_one_of_a_closed_day_is_taken_from_its_sums(database: Database) -> None:
    await database.write(lambda c: fail(c, 1, received=T0, hard=False, rule="", category="undefined"))
    await close(database)
    await database.write(fail_again)
    counts = await counts_of(database, What.CATEGORY, TODAY, TODAY + 5 * DAY)
    assert [(one.day, one.hard) for one in counts if one.number] == [(TODAY + 4 * DAY, True)]
    assert {one.number for one in counts} == {0, 1}


def fail_again(c: sa.Connection) -> None:
    """The same mail, four days later."""
    notice_id = ledger.append(c, notice(99))
    assert notice_id
    entry = replace(rows.bounce(T0 - timedelta(minutes=1)), received=T0 + 4 * DAY)
    assert ledger.book(c, notice_id, entry)


async def test_the_oldest_of_failures_and_actions_is_the_first_day(database: Database) -> None:
    await database.write(lambda c: fail(c, 1, received=T0))
    assert await database.read(rates.first_day) == TODAY
    await database.write(lambda c: c.execute(bounce.update().values(received=T0 + 9 * DAY)))
    assert await database.read(rates.first_day) == TODAY + 9 * DAY
    await database.write(lambda c: owe(c, now=T0 + 2 * DAY))
    assert await database.read(rates.first_day) == TODAY + 2 * DAY


async def test_what_each_node_signs_is_added_up(database: Database) -> None:
    for node, number in (("mx1", 2), ("mx2", 5), ("mx1", 3)):
        numbers = {("enwiki", TODAY): number, ("dewiki", TODAY - DAY): 1}
        await database.write(lambda c, n=node, s=numbers: rates.add_signed(c, n, s))  # type: ignore[misc]
    assert await counts_of(database, What.SIGNED) == [
        Count(TODAY, "enwiki", "mx1", False, 5),
        Count(TODAY, "enwiki", "mx2", False, 5),
    ]
    counted: list[tuple[date, int]] = [(TODAY - DAY, 13), (TODAY, 10), (TODAY + DAY, 0)]
    for since, number in counted:
        assert await database.read(lambda c, d=since: rates.signed_since(c, d)) == number  # type: ignore[misc]

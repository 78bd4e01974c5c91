"""Leases: kept while a call lasts, ended when a node dies, and believed only as far as clocks may differ."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.wiki import Action, Effect, Outcome, Unconfirm
from sidecar.services.decision import still_wanted
from sidecar.storage import actions, brakes, claims, ledger, outbox
from sidecar.storage.actions import State
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database
from sidecar.storage.outbox import Because, Owed
from sidecar.storage.schema import action

from .rows import DAY, T0, bounce, notice, owe

SECOND = timedelta(seconds=1)


async def claim(database: Database, now: timedelta = timedelta(0)) -> Owed | None:
    return await database.write(lambda c: claims.claim(c, T0 + now, T0 + now + LEASE, ()))


async def test_a_call_that_lasts_is_kept_and_one_whose_node_has_died_is_not(database: Database) -> None:
    await database.write(owe)
    owed = await claim(database)
    assert owed
    await database.write(lambda c: claims.keep(c, [owed], T0 + 20 * SECOND + LEASE))
    assert await claim(database, LEASE) is None
    again = await claim(database, 20 * SECOND + LEASE)
    assert again
    assert again.attempts == 2


async def test_who_has_lost_a_lease_cannot_keep_it(database: Database) -> None:
    await database.write(owe)
    frozen = await claim(database)
    assert frozen
    assert await claim(database, LEASE)
    await database.write(lambda c: claims.keep(c, [frozen], T0 + 9 * DAY))
    assert await claim(database, 2 * LEASE), "the second lease has its own end"


async def test_what_was_settled_or_postponed_is_not_kept(database: Database) -> None:
    await database.write(owe)
    owed = await claim(database)
    assert owed
    await database.write(lambda c: outbox.settle(c, owed, Outcome(Effect.ALREADY), T0, T0))
    await database.write(lambda c: claims.keep(c, [owed], T0 + LEASE))
    await database.write(lambda c: owe(c, user_id=8))
    assert await claim(database), "nothing of this wiki is in anybody's hands"


@pytest.mark.parametrize(
    ("ahead", "believed"), [(timedelta(0), True), (LEASE, True), (LEASE + SECOND, False), (400 * DAY, False)]
)
async def test_a_lease_of_a_clock_that_ran_ahead_is_none(
    database: Database, ahead: timedelta, believed: bool
) -> None:
    await database.write(owe)
    assert await claim(database, ahead)
    assert (await claim(database) is None) == believed


async def dates(database: Database, now: timedelta = timedelta(0)) -> tuple[timedelta, timedelta]:
    """When the one action was decided and falls due, once they are right as of *now*."""

    def look(connection: sa.Connection) -> tuple[timedelta, timedelta]:
        claims.date_anew(connection, T0 + now)
        created, due = connection.execute(sa.select(action.c.created, action.c.due)).one()
        return created - T0, due - T0

    return await database.write(look)


@pytest.mark.parametrize("ahead", [LEASE + SECOND, 20 * DAY])
async def test_what_a_clock_decided_that_ran_ahead_waits_for_as_long_as_was_meant(
    database: Database, ahead: timedelta
) -> None:
    await database.write(lambda c: owe(c, now=T0 + ahead))
    await database.write(lambda c: c.execute(action.update().values(due=T0 + ahead + 60 * SECOND)))
    assert await claim(database) is None
    assert await database.read(lambda c: claims.is_due(c, T0, ()))
    assert await dates(database) == (timedelta(0), 60 * SECOND)
    assert await claim(database, 59 * SECOND) is None
    assert await claim(database, 60 * SECOND)


async def test_what_a_clock_postponed_that_ran_ahead_falls_due(database: Database) -> None:
    await database.write(owe)
    owed = await claim(database)
    assert owed
    later = T0 + 20 * DAY
    await database.write(lambda c: outbox.postpone(c, owed, later + 30 * SECOND, "down", later))
    assert await dates(database, SECOND) == (timedelta(0), SECOND)
    assert await claim(database, SECOND)


async def test_a_delay_of_days_is_none_of_a_wrong_clock_and_neither_is_a_retry_within_hours(
    database: Database,
) -> None:
    await database.write(owe)
    await database.write(lambda c: c.execute(action.update().values(due=T0 + 7 * DAY)))
    assert not await database.read(lambda c: claims.is_due(c, T0, ()))
    assert await dates(database) == (timedelta(0), 7 * DAY)
    await database.write(lambda c: c.execute(action.update().values(due=T0 + DAY / 4, attempts=9)))
    assert await dates(database) == (timedelta(0), DAY / 4)


async def test_what_is_in_hand_is_not_dated_anew(database: Database) -> None:
    await database.write(lambda c: owe(c, now=T0 + 20 * DAY))
    lease = action.update().values(leased_until=T0 + LEASE)
    await database.write(lambda c: c.execute(lease))
    assert await dates(database) == (20 * DAY, 20 * DAY)


async def test_one_of_each_wiki_is_in_somebodys_hands_until_it_is_settled(database: Database) -> None:
    for user_id in (1, 2):
        await database.write(lambda c, u=user_id: owe(c, user_id=u))  # type: ignore[misc]
    owed = await claim(database)
    assert owed
    assert not await database.read(lambda c: claims.is_due(c, T0, ()))
    assert await claim(database) is None
    await database.write(lambda c: outbox.postpone(c, owed, T0 + DAY, "the wiki is read-only", T0))
    assert await claim(database)


async def test_a_call_under_way_when_a_brake_tripped_keeps_its_wiki(database: Database) -> None:
    await database.write(lambda c: owe(c, user_id=1))
    assert await claim(database)
    await database.write(lambda c: brakes.trip(c, "", "", "why", T0, since=T0, hold_from=None))
    await database.write(lambda c: brakes.release(c, 1, T0))
    await database.write(lambda c: brakes.trip(c, "gmail", "", "why", T0, since=T0, hold_from=None))
    await database.write(lambda c: owe(c, user_id=2))
    assert await claim(database) is None
    assert await claim(database, LEASE)


async def test_a_wiki_with_much_to_do_starves_no_other(database: Database) -> None:
    for user_id in range(1, 31):
        await database.write(lambda c, u=user_id: owe(c, user_id=u, now=T0 - DAY))  # type: ignore[misc]
    await database.write(lambda c: owe(c, "dewiki", 1, T0))
    taken = [await claim(database), await claim(database)]
    assert [owed.action.wiki for owed in taken if owed] == ["enwiki", "dewiki"]


async def test_of_two_nodes_each_works_where_the_other_does_not(database: Database, url: str) -> None:
    other = Database(url)
    for number in range(10):
        await database.write(lambda c, n=number: owe(c, f"wiki{n}", 1))  # type: ignore[misc]
    taken = await asyncio.gather(*(claim(node) for node in [database, other] * 8))
    await other.close()
    wikis = [owed.action.wiki for owed in taken if owed]
    assert len(set(wikis)) == len(wikis)
    while owed := await claim(database):
        wikis.append(owed.action.wiki)
    assert sorted(wikis) == [f"wiki{number}" for number in range(10)]
    states = {entry.state for entry in await database.read(actions.entries)}
    assert states == {State.WAITING}


def book(connection: sa.Connection, days: int, provider: str) -> None:
    notice_id = ledger.append(connection, notice(days, T0 + days * DAY))
    assert notice_id
    assert ledger.book(connection, notice_id, replace(bounce(T0 + days * DAY), provider=provider))


async def test_what_is_decided_anew_is_held_by_the_brake_of_the_provider_of_now(database: Database) -> None:
    policy, later = Policy(Streak(2, DAY), Mode.ENFORCE), T0 + 9 * DAY

    def fail_at_another(connection: sa.Connection) -> None:
        for days, provider in ((0, "google"), (2, "google"), (8, "yahoo")):
            book(connection, days, provider)
        action = Unconfirm("enwiki", 7, T0, "2 hard bounces")
        outbox.enqueue(connection, action, Because([1, 2], "google"), T0 + 2 * DAY)
        brakes.trip(connection, "yahoo", "", "too many", later, since=T0 + 8 * DAY, hold_from=None)

    def ask_again(connection: sa.Connection) -> Action | None:
        owed = claims.claim(connection, later, later + LEASE, ())
        assert owed
        return still_wanted(connection, owed, {owed.action.wiki: policy}, later)

    await database.write(fail_at_another)
    assert await database.write(ask_again) is None
    [held] = await database.read(actions.entries)
    assert held.state == State.HELD
    await database.write(lambda c: brakes.release(c, 1, later))
    assert await database.write(ask_again)

"""Watching users with an open streak: who is, since when, until when; what follows from mail that arrives."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from sidecar.domain.policy import Streak
from sidecar.services.watch import Watch
from sidecar.storage.actions import State
from tests.support.waiting import until

from .house import DAY, HARD, SOFT, House
from .watching import mail, sent, users


async def test_mail_is_noted_from_the_first_counted_bounce_on(house: House) -> None:
    await mail(house)
    await house.bounce(SOFT)
    house.clock.tick(days=1)
    await mail(house)
    assert await sent(house) == []
    await house.bounce()
    house.clock.tick(days=1)
    await mail(house)
    await mail(house, user_id=8)
    assert await sent(house) == [2]
    assert await sent(house, 8) == []
    assert house.counted("sends_total", result="noted") == 1


async def test_a_mail_that_arrived_ends_the_streak_and_its_late_bounce_takes_that_back(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=4)
    late = await mail(house)
    house.clock.tick(days=4)
    await house.bounce()
    house.clock.tick(hours=1)
    await house.bounce()
    assert await house.actions() == [], "day 4 has arrived"
    assert await sent(house) == [4]
    await house.take(HARD.raw, late)
    assert await sent(house) == []
    [action] = await house.actions()
    assert action.reason.startswith("4 hard bounces")


async def test_a_late_soft_bounce_takes_a_proof_back_too(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=4)
    late = await mail(house)
    for _ in range(2):
        house.clock.tick(days=2)
        await house.bounce()
    assert await house.actions() == []
    await house.take(SOFT.about(HARD.recipient).raw, late)
    [action] = await house.actions()
    assert action.reason.startswith("3 hard bounces")


async def test_mail_to_a_changed_address_starts_anew(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=4)
    await house.bounce()
    house.clock.tick(days=3)
    house.path(7, "new@example.net")
    await house.watch.flush()
    house.clock.tick(days=1)
    await house.bounce(HARD.about("new@example.net"))
    assert await house.actions() == []


async def test_after_a_restart_the_database_tells_who_is_watched(house: House) -> None:
    await house.bounce(user_id=7)
    await house.bounce(user_id=8, wiki="dewiki")
    await house.bounce(SOFT, user_id=9)
    again = house.watching(house.database)
    assert users(again) == set()
    await again.load()
    assert users(again) == {("enwiki", 7), ("dewiki", 8)} == users(house.watch)
    assert house.counted("watched_users") == 2


async def test_what_another_node_booked_is_seen_at_the_next_look(house: House) -> None:
    other = house.watching(house.database)
    await other.load()
    await house.bounce(user_id=7)
    await other.look()
    assert users(other) == {("enwiki", 7)}
    path = house.path(8)
    await house.take(SOFT.raw, path)
    house.clock.tick(minutes=5)
    await other.look()
    assert users(other) == {("enwiki", 7)}
    await house.take(HARD.raw, path)  # the same bounce, which keeps its number
    await other.look()
    assert users(other) == {("enwiki", 7), ("enwiki", 8)}


async def test_replayed_mail_is_seen_although_it_is_old(house: House) -> None:
    other = house.watching(house.database)
    house.clock.tick(days=5)
    await other.load()
    house.clock.tick(days=-5)
    await house.bounce()
    house.clock.tick(days=5, hours=1)
    await other.look()
    assert users(other) == {("enwiki", 7)}


async def test_who_was_acted_upon_is_watched_no_more_until_the_next_failure(house: House) -> None:
    await house.fail_for_eight_days(7)
    await house.pay()
    await house.watch.look()
    assert users(house.watch) == set()
    house.clock.tick(days=1)
    await house.bounce()
    await house.watch.look()
    assert users(house.watch) == {("enwiki", 7)}


async def test_a_streak_is_forgotten_after_its_time(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=59)
    await house.watch.load()
    assert users(house.watch) == {("enwiki", 7)}
    house.policies["dewiki"] = replace(house.policies["dewiki"], rule=Streak(forget=70 * DAY))
    house.clock.tick(days=5)
    await house.watch.load()
    assert users(house.watch) == {("enwiki", 7)}, "the longest of all wikis"
    house.clock.tick(days=7)
    await house.watch.load()
    assert users(house.watch) == set()


async def test_a_mail_that_asks_for_a_confirmation_opens_no_streak(house: House) -> None:
    await house.take(HARD.raw, house.paths.issue("enwiki", 7, HARD.recipient, confirming=True))
    assert users(house.watch) == set()
    await house.watch.load()
    await house.watch.look()
    assert users(house.watch) == set()


async def test_the_loop_looks_around_by_itself_also_after_the_clock_jumped_back(house: House) -> None:
    house.clock.tick(days=5)
    other = house.watching(house.database)
    await other.load()
    house.clock.tick(days=-5)
    await house.bounce()
    running = asyncio.create_task(other.run())
    await asyncio.to_thread(until, lambda: users(other) == {("enwiki", 7)}, "watched")
    other.stop()
    await running


async def test_an_action_that_waits_is_overtaken_by_a_mail_that_arrives(house: House) -> None:
    for days in (0, 4, 2.5):
        house.clock.tick(days=days)
        await house.bounce()
    house.clock.tick(hours=1)
    await mail(house)
    house.clock.tick(days=1)
    await house.bounce()
    assert [action.state for action in await house.actions()] == [State.WAITING]
    house.clock.tick(days=2)
    await house.pay()
    assert [action.state for action in await house.actions()] == [State.OVERTAKEN]
    assert house.wiki.calls == []


async def test_what_was_forwarded_and_failed_there_has_arrived_all_the_same(house: House) -> None:
    """The user's own mailbox works again, and passes on to one that does not."""
    await house.bounce()
    house.clock.tick(days=4)
    path = await mail(house)
    await house.take(HARD.about("elsewhere@example.net").raw, path)
    assert await sent(house) == [4]
    house.clock.tick(minutes=1)
    early = house.path()
    await house.take(HARD.about("elsewhere@example.net").raw, early)
    await house.watch.flush()
    house.clock.tick(days=4)
    for _ in range(2):
        await house.bounce()
        house.clock.tick(hours=1)
    assert await house.actions() == []
    await house.take(HARD.raw, path)
    await house.take(HARD.raw, early)
    assert await sent(house) == []
    [action] = await house.actions()
    assert action.reason.startswith("5 hard bounces")


@pytest.mark.parametrize("round_", [Watch.load, Watch.look])
async def test_who_fails_while_the_history_is_looked_through_stays_watched(
    house: House, round_: Callable[[Watch], Awaitable[None]]
) -> None:
    await house.bounce(user_id=8)
    looking = asyncio.create_task(round_(house.watch))
    await asyncio.sleep(0)  # it has begun, and nothing is read yet
    house.watch.add("enwiki", 7)  # booked on this node, and seen by no reader
    house.watch.add("enwiki", 8)
    await looking
    assert users(house.watch) == {("enwiki", 7), ("enwiki", 8)}


async def test_of_those_who_are_watched_already_nothing_is_asked_again(house: House) -> None:
    for user_id in range(1, 31):
        await house.bounce(user_id=user_id)
    await house.watch.look()
    asked: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    await house.watch.look()  # all of it came within the last minute
    sa.event.remove(sa.Engine, "before_cursor_execute", hear)
    assert users(house.watch) == {("enwiki", user_id) for user_id in range(1, 31)}
    assert len(asked) < 20

"""Decided late: what is held, revived or reread must not count against mail that arrived meanwhile."""

from dataclasses import replace

import pytest

from sidecar.domain.policy import Mode, Policy, Window
from sidecar.domain.wiki import WikiRefused
from sidecar.storage import aside, outbox
from sidecar.storage.actions import State

from .house import DAY, House
from .housekeeping import KEEP, keeper
from .test_aside import STRANGE, grown
from .test_brakes import pulled, released
from .watching import mail, sent, users

PLAIN = b"From: eve@evil.example\n\nI am no bounce\n"


async def test_who_has_something_waiting_is_watched_however_long_it_waits(house: House) -> None:
    """What a brake holds is decided again when it is let go: what arrived meanwhile must be known."""
    house.policies["enwiki"] = Policy(Window(3, 10 * DAY), Mode.ENFORCE)
    await house.fail_for_eight_days()
    await pulled(house)
    house.clock.tick(days=1)
    await mail(house)
    for days in (4, 70):
        house.clock.tick(days=days)
        await house.watch.load()
        await house.watch.look()
        await house.watch.tidy()
    assert await sent(house) == [9]
    assert users(house.watch) == {("enwiki", 7)}
    await released(house)
    await house.pay()
    assert [action.state for action in await house.actions()] == [State.OVERTAKEN]


async def test_a_streak_that_was_held_for_longer_than_it_is_remembered_is_over(house: House) -> None:
    await house.fail_for_eight_days()
    await pulled(house)
    house.clock.tick(days=61)
    await released(house)
    await house.pay()
    assert [action.state for action in await house.actions()] == [State.OVERTAKEN]


async def test_what_a_wiki_refused_may_be_revived_and_is_watched_until_it_is_forgotten(house: House) -> None:
    house.wiki.troubles = [WikiRefused("no such user")]
    await house.fail_for_eight_days()
    await house.pay()
    await house.watch.look()
    await house.watch.load()
    house.clock.tick(days=3)
    await mail(house)
    house.clock.tick(days=20)
    await house.database.write(lambda c: outbox.retry(c, 1, house.clock()))
    await house.pay()
    assert [action.state for action in await house.actions()] == [State.OVERTAKEN]


async def test_under_another_policy_older_failures_count_again_and_so_does_what_arrived_since(
    house: House,
) -> None:
    house.policies = {wiki: Policy(Window(5, 7 * DAY), Mode.ENFORCE) for wiki in house.policies}
    house.watch = house.watching(house.database)
    for _ in range(2):
        await house.bounce()
        house.clock.tick(days=1)
    house.clock.tick(days=20)
    await house.watch.load()
    assert users(house.watch) == {("enwiki", 7)}


@pytest.mark.parametrize("raw", [STRANGE, PLAIN])
async def test_of_whom_something_is_set_aside_is_watched_as_it_may_be_a_failure(
    house: House, raw: bytes
) -> None:
    other = house.watching(house.database)
    await other.load()
    await house.take(raw, house.path())
    assert users(house.watch) == {("enwiki", 7)}
    await other.look()
    assert users(other) == {("enwiki", 7)}
    await other.load()
    assert users(other) == {("enwiki", 7)}
    await house.database.write(lambda c: aside.drop(c, 1))
    await other.load()
    assert users(other) == set()


async def test_what_is_understood_late_does_not_count_against_mail_that_arrived_meanwhile(
    house: House,
) -> None:
    """Three bounces that no rule knew, weeks of mail that arrives, and then a rule."""
    for _ in range(3):
        await house.take(STRANGE, house.path())
        house.clock.tick(days=4)
    for _ in range(4):
        house.path()
        await house.watch.flush()
        house.clock.tick(days=5)
        await house.watch.load()
        await house.watch.tidy()
    house.intake.use(grown())
    for number in (1, 2, 3):
        again = await house.intake.reread(number)
        assert again
        assert again.hard
    assert await house.actions() == []


async def test_a_proof_stays_while_something_older_is_set_aside(house: House) -> None:
    """The mail that seems to be the later proof may turn out to have come back."""
    await house.bounce()
    house.clock.tick(days=1)
    await mail(house)
    house.clock.tick(days=1)
    path = await mail(house)
    await house.take(PLAIN, path)
    house.clock.tick(days=20)
    assert await house.watch.tidy() == 0
    await house.database.write(lambda c: aside.drop(c, 2))
    assert await house.watch.tidy() == 1


async def test_nor_does_a_proof_go_by_age_while_something_older_is_set_aside(house: House) -> None:
    await house.take(PLAIN, house.path())
    house.clock.tick(days=1)
    await mail(house)
    house.clock.tick(days=100)
    await keeper(house, replace(KEEP, aside=200 * DAY)).round()
    assert await sent(house) == [1]
    house.clock.tick(days=101)
    await keeper(house, replace(KEEP, aside=200 * DAY)).round()
    assert await sent(house) == []


async def test_what_failed_while_a_clock_ran_ahead_does_not_undo_the_confirmation_of_today(
    house: House,
) -> None:
    house.policies["enwiki"] = Policy(Window(3, 7 * DAY), Mode.ENFORCE)
    house.clock.tick(days=9)
    for _ in range(2):
        await house.bounce()
        house.clock.tick(hours=2)
    house.clock.tick(days=-9)
    house.wiki.confirm(7)
    house.clock.tick(days=3)
    await house.bounce()
    await house.pay()
    assert house.wiki.confirmed[7]
    assert await house.actions() == []

"""What we owe: once a user, in one pair of hands at a time, and nothing without a line in the audit."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.domain.wiki import Effect, Outcome, Unconfirm
from sidecar.storage import actions, claims, outbox
from sidecar.storage.actions import Entry, State
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database
from sidecar.storage.outbox import Owed

from .rows import DAY, T0, owe

MINUTE = timedelta(minutes=1)
UNCONFIRMED = Outcome(Effect.UNCONFIRMED, T0 - 300 * DAY, "f" * 64)


async def claim(database: Database, now: datetime = T0, but: Collection[str] = ()) -> Owed | None:
    due = await database.read(lambda c: claims.is_due(c, now, but))
    owed = await database.write(lambda c: claims.claim(c, now, now + LEASE, but))
    assert due == (owed is not None)
    return owed


async def claimed(database: Database, now: datetime = T0) -> Owed:
    owed = await claim(database, now)
    assert owed
    return owed


def unconfirm(user_id: int = 7) -> Unconfirm:
    return Unconfirm("enwiki", user_id, T0, "1 hard bounce (user-unknown)")


async def entry(database: Database) -> Entry:
    [only] = await database.read(actions.entries)
    return only


async def forget_until(database: Database, user_id: int) -> datetime | None:
    done = await database.read(lambda c: actions.done(c, Account("enwiki", user_id), shadow=False))
    return done.forget_until


async def audit(database: Database, user_id: int = 7) -> list[str]:
    events = await database.read(lambda c: actions.events_of_user(c, "enwiki", user_id))
    return [event.what for event in events]


def settled(owed: Owed, now: datetime = T0) -> Callable[[sa.Connection], None]:
    return lambda connection: outbox.settle(connection, owed, UNCONFIRMED, now, now)


def closed(owed: Owed, state: State, now: datetime = T0) -> Callable[[sa.Connection], None]:
    return lambda connection: outbox.close(connection, owed, state, f"why {state}", now)


def postponed(owed: Owed, due: datetime, now: datetime = T0) -> Callable[[sa.Connection], None]:
    return lambda connection: outbox.postpone(connection, owed, due, "the wiki is read-only", now)


async def test_what_is_owed_is_claimed_with_all_that_the_wiki_must_know(database: Database) -> None:
    action_id = await database.write(owe)
    assert await claim(database) == Owed(
        action_id, Unconfirm("enwiki", 7, T0, "1 hard bounce (user-unknown)"), attempts=1, created=T0
    )
    assert await audit(database) == ["decided"]


async def test_a_settled_action_keeps_what_a_restore_needs(database: Database) -> None:
    await database.write(owe)
    owed = await claimed(database)
    await database.write(settled(owed, T0 + MINUTE))
    done = await entry(database)
    assert (done.state, done.effect, done.error) == (State.DONE, "unconfirmed", "")
    assert (done.confirmed_at, done.settled) == (T0 - 300 * DAY, T0 + MINUTE)
    assert await audit(database) == ["decided", "done"]
    assert await claim(database, T0 + DAY) is None


@pytest.mark.parametrize(
    ("state", "forget"),
    [(State.DEAD, T0 + MINUTE), (State.OVERTAKEN, None), (State.SHADOW, None)],
)
async def test_a_closed_action_is_not_tried_again_and_says_why(
    database: Database, state: State, forget: datetime | None
) -> None:
    await database.write(owe)
    owed = await claimed(database)
    await database.write(closed(owed, state, T0 + MINUTE))
    over = await entry(database)
    assert (over.state, over.error, over.settled) == (state, f"why {state}", T0 + MINUTE)
    assert await forget_until(database, 7) == forget
    assert await audit(database) == ["decided", str(state)]
    assert await claim(database, T0 + DAY) is None


async def test_a_postponed_action_is_due_again_at_its_time_and_not_before(database: Database) -> None:
    await database.write(owe)
    await database.write(postponed(await claimed(database), T0 + 5 * MINUTE))
    assert await claim(database, T0 + 5 * MINUTE - timedelta(seconds=1)) is None
    again = await claimed(database, T0 + 5 * MINUTE)
    assert again.attempts == 2
    waiting = await entry(database)
    assert (waiting.state, waiting.error) == (State.WAITING, "the wiki is read-only")
    assert await audit(database) == ["decided", "postponed"]


async def test_a_lease_keeps_others_off_until_it_ends(database: Database) -> None:
    await database.write(owe)
    assert await claim(database)
    assert await claim(database, T0 + LEASE - timedelta(seconds=1)) is None
    assert (await claimed(database, T0 + LEASE)).attempts == 2


async def test_two_claimers_never_get_the_same_action(database: Database, url: str) -> None:
    one, other = Database(url), Database(url)  # with the usual patience
    for user_id in range(1, 21):
        await database.write(lambda c, u=user_id: owe(c, f"wiki{u}", user_id=u))
    both = [one, other] * 12
    taken = await asyncio.gather(*(d.write(lambda c: claims.claim(c, T0, T0 + LEASE, ())) for d in both))
    await one.close()
    await other.close()
    users = [owed.action.user_id for owed in taken if owed]
    assert sorted(users) == list(range(1, 21))


async def test_the_longest_due_is_claimed_first_and_some_wikis_are_left_alone(database: Database) -> None:
    await database.write(lambda c: owe(c, "enwiki", 1, T0 - MINUTE))
    await database.write(lambda c: owe(c, "dewiki", 2, T0 - 3 * MINUTE))
    await database.write(lambda c: owe(c, "frwiki", 3, T0 - 2 * MINUTE))
    order = [await claim(database, T0, {"dewiki"}) for _ in range(3)]
    assert [owed.action.wiki if owed else None for owed in order] == ["frwiki", "enwiki", None]


async def test_a_user_has_one_open_action_at_most(database: Database) -> None:
    await database.write(owe)
    assert await database.read(lambda c: outbox.is_open(c, unconfirm(7)))
    assert not await database.read(lambda c: outbox.is_open(c, unconfirm(8)))
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda c: owe(c, now=T0 + DAY))
    await database.write(lambda c: owe(c, user_id=8))
    await database.write(lambda c: owe(c, "dewiki", 7))
    assert await database.read(actions.waiting) == 3


@pytest.mark.parametrize("state", [State.DONE, State.DEAD, State.OVERTAKEN, State.SHADOW])
async def test_once_it_is_closed_another_may_be_owed(database: Database, state: State) -> None:
    await database.write(owe)
    owed = await claimed(database)
    await database.write(settled(owed) if state is State.DONE else closed(owed, state))
    assert not await database.read(lambda c: outbox.is_open(c, unconfirm(7)))
    await database.write(lambda c: owe(c, now=T0 + DAY))
    assert await database.read(actions.waiting) == 1


async def test_a_shadow_decision_is_only_a_note(database: Database) -> None:
    await database.write(lambda c: owe(c, shadow=True))
    assert (await entry(database)).state == State.SHADOW
    assert await claim(database, T0 + DAY) is None
    assert not await database.read(lambda c: outbox.is_open(c, unconfirm(7)))
    assert await database.read(lambda c: outbox.shadowed(c, unconfirm(), [1]))
    await database.write(lambda c: owe(c, user_id=8))
    assert not await database.read(lambda c: outbox.shadowed(c, unconfirm(8), [2, 3])), (
        "owed, and not only noted"
    )
    assert not await database.read(lambda c: outbox.shadowed(c, unconfirm(), []))


async def test_what_joins_a_shadow_decision_belongs_to_it(database: Database) -> None:
    noted = await database.write(lambda c: owe(c, shadow=True))
    await database.write(lambda c: owe(c, now=T0 + DAY))  # because of the second bounce
    assert await database.read(lambda c: outbox.shadowed(c, unconfirm(), [2])) is None
    for _ in range(2):
        await database.write(lambda c: outbox.join(c, noted, [1, 2]))
        assert await database.read(lambda c: outbox.shadowed(c, unconfirm(), [2])) == noted


async def test_an_error_that_comes_after_the_lease_went_to_another_changes_nothing(
    database: Database,
) -> None:
    await database.write(owe)
    slow = await claimed(database, T0)
    fast = await claimed(database, T0 + LEASE)
    await database.write(closed(slow, State.DEAD))
    await database.write(postponed(slow, T0 + DAY))
    assert await claim(database, T0 + LEASE) is None, "the second lease must still hold"
    await database.write(settled(fast, T0 + LEASE))
    assert (await entry(database)).state == State.DONE
    assert await audit(database) == ["decided", "done"]


async def test_an_answer_that_comes_after_the_lease_is_kept_and_the_first_one_stands(
    database: Database,
) -> None:
    await database.write(owe)
    slow = await claimed(database, T0)
    fast = await claimed(database, T0 + LEASE)
    await database.write(settled(slow))
    await database.write(lambda c: outbox.settle(c, fast, Outcome(Effect.ALREADY), T0, T0))
    done = await entry(database)
    assert (done.effect, done.confirmed_at) == ("unconfirmed", T0 - 300 * DAY)
    assert await audit(database) == ["decided", "done"]


async def test_what_counts_no_more_is_the_newest_of_all_actions(database: Database) -> None:
    for day in (3, 1):
        await database.write(lambda c, d=day: owe(c, now=T0 + d * DAY))
        owed = await claimed(database, T0 + 5 * DAY)
        await database.write(settled(owed, T0 + day * DAY))
    assert await forget_until(database, 7) == T0 + 3 * DAY
    assert await forget_until(database, 8) is None


async def retry(database: Database, action_id: int, now: datetime) -> bool:
    return await database.write(lambda c: outbox.retry(c, action_id, now))


async def test_an_operator_revives_what_is_dead_and_its_bounces_count_again(database: Database) -> None:
    action_id = await database.write(owe)
    await database.write(closed(await claimed(database), State.DEAD))
    assert await retry(database, action_id, T0 + DAY)
    assert await forget_until(database, 7) is None
    assert await database.read(lambda c: outbox.is_open(c, unconfirm(7)))
    assert (await entry(database)).settled is None
    assert (await claimed(database, T0 + DAY)).id == action_id
    assert await audit(database) == ["decided", "dead", "retried"]


async def test_an_operator_may_ask_for_a_postponed_action_at_once(database: Database) -> None:
    action_id = await database.write(owe)
    await database.write(postponed(await claimed(database), T0 + DAY))
    assert await retry(database, action_id, T0 + MINUTE)
    assert await claim(database, T0 + MINUTE)


async def test_a_retry_does_not_take_an_action_out_of_somebodys_hands(database: Database) -> None:
    action_id = await database.write(owe)
    await claimed(database)
    await retry(database, action_id, T0 + LEASE / 2)
    assert await claim(database, T0 + LEASE / 2) is None
    assert await claim(database, T0 + LEASE)


async def test_a_retry_is_refused_where_it_makes_no_sense(database: Database) -> None:
    assert not await retry(database, 99, T0)
    shadow = await database.write(lambda c: owe(c, shadow=True))
    assert not await retry(database, shadow, T0)
    done = await database.write(lambda c: owe(c, now=T0 + DAY))
    await database.write(settled(await claimed(database, T0 + DAY)))
    assert not await retry(database, done, T0)
    dead = await database.write(lambda c: owe(c, now=T0 + 2 * DAY))
    await database.write(closed(await claimed(database, T0 + 2 * DAY), State.DEAD))
    await database.write(lambda c: owe(c, now=T0 + 3 * DAY))
    assert not await retry(database, dead, T0), "another one waits for this user"


async def test_operators_see_actions_by_state_and_by_user(database: Database) -> None:
    await database.write(owe)
    await database.write(lambda c: owe(c, user_id=8, shadow=True))
    await database.write(lambda c: owe(c, "dewiki", 7))
    assert [e.wiki for e in await database.read(lambda c: actions.entries(c, State.WAITING))] == [
        "enwiki",
        "dewiki",
    ]
    of_eight = await database.read(lambda c: actions.entries(c, wiki="enwiki", user_id=8))
    assert [e.state for e in of_eight] == [State.SHADOW]
    assert await audit(database, 8) == ["decided"]


async def test_very_long_words_are_cut_and_do_not_hinder(database: Database) -> None:
    await database.write(owe)
    owed = await claimed(database)
    await database.write(lambda c: outbox.close(c, owed, State.DEAD, "x" * 2000, T0))
    assert len((await entry(database)).error) == 500

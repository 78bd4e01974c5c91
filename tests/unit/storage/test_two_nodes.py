"""Two nodes that meet in the same rows, on a real MariaDB and a real PostgreSQL, each step in a forced order.

What is done first is not committed until the second has looked, or waits.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sidecar.domain.brake import Limits
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.send import Send
from sidecar.domain.wiki import Effect, Outcome, Restore, Unconfirm
from sidecar.services.decision import consider, still_wanted
from sidecar.services.undo import undo
from sidecar.storage import (
    accounts,
    actions,
    belongings,
    brakes,
    claims,
    digests,
    engines,
    ledger,
    outbox,
    sends,
)
from sidecar.storage.actions import Entry, State
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database
from sidecar.storage.outbox import Because, Owed
from sidecar.storage.schema import account, bounce, send
from sidecar.storage.undoing import undoable
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import ON_SERVERS
from tests.support.waiting import until

from . import rows
from .rows import DAY, T0, owe

SECOND = timedelta(seconds=1)
PATIENCE = 20.0  # seconds
UNCONFIRMED = Outcome(Effect.UNCONFIRMED, T0 - DAY, "f" * 64)
ENFORCE = Policy(Streak(2, DAY), Mode.ENFORCE)


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def other(url: str) -> AsyncIterator[Database]:
    """The second node's way to the same database."""
    opened = Database(url)
    await opened.open()
    yield opened
    await opened.close()


@dataclass
class Halfway:
    """A work that stops before its end, with all its locks and nothing committed, until it is let on."""

    database: Database
    work: Callable[[sa.Connection], object]

    async def __aenter__(self) -> "Halfway":
        self._there, self._on = threading.Event(), threading.Event()

        def stop(connection: sa.Connection) -> object:
            done = self.work(connection)
            self._there.set()
            assert self._on.wait(PATIENCE)
            return done

        self._task = asyncio.create_task(self.database.write(stop))
        await asyncio.to_thread(self._there.wait, PATIENCE)
        return self

    async def finish(self) -> object:
        """Commits."""
        self._on.set()
        return await self._task

    async def __aexit__(self, *_exception: object) -> None:
        await self.finish()


async def waits(task: "asyncio.Task[Any]", server: DatabaseServer) -> None:
    """Until the server says that somebody waits for a lock."""
    await asyncio.to_thread(until, lambda: task.done() or server.waiting(), "somebody who waits for a lock")
    assert not task.done(), "it did not wait"


async def entry(database: Database, action_id: int) -> Entry:
    [found] = [one for one in await database.read(actions.entries) if one.id == action_id]
    return found


def claim(connection: sa.Connection) -> Owed | None:
    return claims.claim(connection, T0, T0 + LEASE, ())


async def test_of_one_wiki_two_nodes_never_hold_two_actions(database: Database, other: Database) -> None:
    for user_id in range(1, 11):
        await database.write(lambda c, u=user_id: owe(c, user_id=u))  # type: ignore[misc]
    await database.write(lambda c: owe(c, "dewiki", 1))
    taken = await asyncio.gather(*(node.write(claim) for node in [database, other] * 8))
    assert sorted(owed.action.wiki for owed in taken if owed) == ["dewiki", "enwiki"]


async def test_a_wiki_from_which_another_node_is_claiming_is_passed_over(
    database: Database, other: Database
) -> None:
    await database.write(lambda c: accounts.try_lock_wiki(c, "enwiki"))  # it was claimed from before
    await database.write(lambda c: owe(c, user_id=1, now=T0 - DAY))
    await database.write(lambda c: owe(c, user_id=2))
    await database.write(lambda c: owe(c, "dewiki", 1))
    async with Halfway(database, claim):
        found = await other.write(claim)
        assert found
        assert found.action.wiki == "dewiki"


async def test_what_is_being_booked_is_not_claimed_before_it_is_decided(
    database: Database, other: Database
) -> None:
    await database.write(owe)
    async with Halfway(database, lambda c: accounts.lock(c, "enwiki", 7)):
        assert await other.write(claim) is None
    assert await other.write(claim)


async def test_what_a_node_gives_up_while_another_books_is_owed_again(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    """Claimed, asked again, and no longer wanted; meanwhile the bounce comes by which it is."""
    await database.write(owe)  # one bounce alone: the policy wants two

    def give_up(connection: sa.Connection) -> None:
        owed = claims.claim(connection, T0 + 9 * DAY, T0 + 9 * DAY + LEASE, ())
        assert owed
        assert still_wanted(connection, owed, {"enwiki": ENFORCE}, T0 + 9 * DAY) is None
        outbox.close(connection, owed, State.OVERTAKEN, "the policy no longer wants it", T0 + 9 * DAY)

    def book(connection: sa.Connection) -> int | None:
        entry = rows.bounce(T0 + 8 * DAY, tag="enwiki")
        accounts.lock(connection, "enwiki", 7)
        notice_id = ledger.append(connection, rows.notice(2, T0 + 9 * DAY))
        assert notice_id
        assert ledger.book(connection, notice_id, entry)
        return consider(
            connection, entry, {"enwiki": ENFORCE}, Limits(), T0 + 9 * DAY, T0 + 9 * DAY
        ).action_id

    async with Halfway(database, give_up) as first:
        second = asyncio.create_task(other.write(book))
        await waits(second, server)
        await first.finish()
        assert await second, "the decision was lost"


async def test_what_is_owed_while_a_brake_trips_is_held_before_it_is_carried_out(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    """On PostgreSQL neither sees the other: the brake not what is not committed, the decision not the brake.
    On MariaDB the brake waits."""

    def trip(connection: sa.Connection) -> int | None:
        return brakes.trip(connection, "", "", "too many", T0 + SECOND, since=T0, hold_from=None)

    async with Halfway(database, owe) as deciding:
        tripping = asyncio.create_task(other.write(trip))
        await asyncio.to_thread(until, lambda: tripping.done() or server.waiting(), "the brake")
        await deciding.finish()
        brake_id = await tripping
    assert await other.write(claim) is None
    [held] = await database.read(actions.entries)
    assert held.state == State.HELD
    assert brake_id
    await other.write(lambda c: brakes.release(c, brake_id, T0 + 2 * SECOND))
    assert await other.write(lambda c: claims.claim(c, T0 + 3 * SECOND, T0 + LEASE, ()))


@pytest.mark.parametrize(
    ("let_go", "state"), [(brakes.release, State.WAITING), (brakes.discard, State.DISCARDED)]
)
async def test_what_is_put_under_a_brake_while_that_is_let_go_does_not_stay_there(
    database: Database, other: Database, server: DatabaseServer, let_go: Callable[..., object], state: State
) -> None:
    brake_id = await database.write(
        lambda c: brakes.trip(c, "", "", "too many", T0, since=T0, hold_from=None)
    )
    assert brake_id

    def decide(connection: sa.Connection) -> int:
        accounts.lock(connection, "enwiki", 7)
        held_by = brakes.holding(connection, "", "enwiki")
        action = Unconfirm("enwiki", 7, T0, "1 hard bounce")
        return outbox.enqueue(connection, action, Because(), T0, held_by=held_by)

    async with Halfway(database, decide) as deciding:
        letting_go = asyncio.create_task(other.write(lambda c: let_go(c, brake_id, T0 + SECOND)))
        await waits(letting_go, server)
        action_id = await deciding.finish()
        await letting_go
    assert (await entry(database, action_id)).state == state  # type: ignore[arg-type]


async def test_two_brakes_for_the_same_users_are_one(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    def trip(connection: sa.Connection) -> int | None:
        return brakes.trip(connection, "example.com", "", "too many", T0, since=T0, hold_from=None)

    async with Halfway(database, trip) as first:
        second = asyncio.create_task(other.write(trip))
        await waits(second, server)
        assert await first.finish()
        assert await second is None


async def test_a_retry_does_not_revive_what_the_wiki_is_doing(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    action_id = await database.write(owe)
    owed = await database.write(claim)
    assert owed
    async with Halfway(database, lambda c: outbox.settle(c, owed, UNCONFIRMED, T0, T0)) as settling:
        retrying = asyncio.create_task(other.write(lambda c: outbox.retry(c, action_id, T0)))
        await waits(retrying, server)
        await settling.finish()
        assert not await retrying
    assert (await entry(database, action_id)).state == State.DONE


async def test_an_error_that_comes_late_does_not_bury_what_another_node_holds(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    action_id = await database.write(owe)
    slow = await database.write(claim)
    assert slow
    async with Halfway(database, lambda c: claims.claim(c, T0 + LEASE, T0 + 2 * LEASE, ())) as claiming:
        burying = asyncio.create_task(
            other.write(lambda c: outbox.close(c, slow, State.DEAD, "no", T0 + LEASE))
        )
        await waits(burying, server)
        await claiming.finish()
        await burying
    assert (await entry(database, action_id)).state == State.WAITING


async def test_two_operators_undo_once(database: Database, other: Database, server: DatabaseServer) -> None:
    await database.write(owe)
    owed = await database.write(claim)
    assert owed
    await database.write(lambda c: outbox.settle(c, owed, UNCONFIRMED, T0, T0))
    both_saw = await database.read(lambda c: undoable(c, T0 - DAY))

    def restored(connection: sa.Connection) -> list[int]:
        made = undo(connection, both_saw, T0)
        again = claims.claim(connection, T0, T0 + LEASE, ())
        assert again
        assert isinstance(again.action, Restore)
        outbox.settle(connection, again, Outcome(Effect.RESTORED), None, T0)
        return made

    async with Halfway(database, restored) as first:
        second = asyncio.create_task(other.write(lambda c: undo(c, both_saw, T0)))
        await waits(second, server)
        assert await first.finish()
        assert await second == []


async def test_a_mail_that_comes_back_while_it_is_noted_beats_no_proof(
    database: Database, other: Database
) -> None:
    came_back, arrived = T0 + 2 * DAY, T0
    back = Send("enwiki", 7, came_back, "a1b2c3", "0123abcd")
    await database.write(lambda c: sends.note(c, [replace(back, sent=arrived)]))

    def book(connection: sa.Connection) -> None:
        notice_id = ledger.append(connection, rows.notice(1, came_back))
        assert notice_id
        assert ledger.book(connection, notice_id, rows.bounce(came_back))

    async with Halfway(database, book):
        await other.write(lambda c: sends.note(c, [back]))
    counts = await database.read(lambda c: [len(c.execute(sa.select(t)).all()) for t in (send, bounce)])
    assert counts == [2, 1], "a row of a mail that came back is left behind"
    known = await database.read(lambda c: sends.newest(c, "enwiki", 7, None, T0 + 9 * DAY))
    assert [one.sent for one in known] == [arrived]
    stale = await database.read(lambda c: sends.stale(c, T0 + 9 * DAY, T0 - DAY, 10))
    assert [one.sent for one in stale] == [], "the proof is still one"


async def test_nothing_of_a_user_is_left_whom_somebody_erases_while_a_node_books(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    def book(connection: sa.Connection) -> None:
        accounts.lock(connection, "enwiki", 7)
        owe(connection)

    who = belongings.User("enwiki", 7, [])
    async with Halfway(database, book) as booking:
        erasing = asyncio.create_task(other.write(lambda c: belongings.erase(c, who, T0)))
        await waits(erasing, server)
        await booking.finish()
        await erasing
    assert not any((await database.read(lambda c: belongings.count(c, who))).values())
    assert await database.read(lambda c: c.execute(sa.select(account)).all()) == []


async def test_one_that_is_claimed_is_not_erased(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    await database.write(owe)
    who = belongings.User("enwiki", 7, [])
    async with Halfway(database, claim) as claiming:
        erasing = asyncio.create_task(other.write(lambda c: belongings.erase(c, who, T0)))
        await waits(erasing, server)
        await claiming.finish()
        with pytest.raises(belongings.InHand):
            await erasing


async def test_a_digest_does_not_pass_over_what_is_entered_late(database: Database, other: Database) -> None:
    """Numbers are given when a row is written, not when it is committed."""
    late = rows.notice(1, T0, aside="nobody understood it")
    async with Halfway(database, lambda c: ledger.append(c, late)):
        await other.write(lambda c: ledger.append(c, rows.notice(2, T0, aside="nor this")))
        through = await other.read(lambda c: digests.complete_through(c, T0 - SECOND))
        assert through is not None
    [late_id, _] = await other.read(
        lambda c: c.execute(sa.text("SELECT id FROM notice ORDER BY id")).scalars()
    )
    assert through <= late_id, "the next digest begins before it"


async def test_a_day_has_one_digest_whoever_begins_it(
    database: Database, other: Database, server: DatabaseServer
) -> None:
    async with Halfway(database, lambda c: digests.begin(c, "2026-11-20", 0)) as first:
        second = asyncio.create_task(other.write(lambda c: digests.begin(c, "2026-11-20", 0)))
        await waits(second, server)
        assert await first.finish()
        assert not await second


async def test_a_node_that_vanished_in_a_transaction_holds_nobody_up_for_long(
    url: str, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ABANDONED", 1)
    vanished = Database(url)
    await vanished.open()
    async with Halfway(vanished, lambda c: accounts.lock(c, "enwiki", 7)):
        await other.write(lambda c: accounts.lock(c, "enwiki", 7))
    await vanished.close()

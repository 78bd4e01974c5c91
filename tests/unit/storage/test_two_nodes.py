"""Two nodes that meet in the same rows, on a real MariaDB and a real PostgreSQL, each step in a forced order.

What is done first is not committed until the second has looked, or waits.
"""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from sidecar.domain.brake import Limits
from sidecar.domain.send import Send
from sidecar.services.decision import consider, still_wanted
from sidecar.storage import accounts, actions, brakes, claims, digests, engines, ledger, outbox, sends
from sidecar.storage.actions import State
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database
from sidecar.storage.schema import bounce, send
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import ON_SERVERS
from tests.support.waiting import until

from . import rows
from .halfway import ENFORCE, SECOND, Halfway, claim, entry, waits
from .rows import DAY, T0, owe


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


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


async def test_a_digest_does_not_pass_over_what_is_entered_late(database: Database, other: Database) -> None:
    """Numbers are given when a row is written, not when it is committed."""
    # Mails of their own: the database is lent again, and MariaDB locks the gap where a row of the same
    # fingerprint was deleted and is not purged yet.
    late = rows.notice(41, T0, aside="nobody understood it")
    async with Halfway(database, lambda c: ledger.append(c, late)):
        await other.write(lambda c: ledger.append(c, rows.notice(42, T0, aside="nor this")))
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

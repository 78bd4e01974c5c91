"""An operator and a node meet in the same rows, on a real MariaDB and a real PostgreSQL.

Knows what is retried, undone, let go and erased meanwhile. What is done first is not committed until the
second has looked, or waits.
"""

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from sidecar.domain.wiki import Effect, Outcome, Restore, Unconfirm
from sidecar.services.undo import undo
from sidecar.storage import accounts, belongings, brakes, claims, outbox
from sidecar.storage.actions import State
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database
from sidecar.storage.outbox import Because
from sidecar.storage.schema import account
from sidecar.storage.undoing import undoable
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import ON_SERVERS

from .halfway import SECOND, Halfway, claim, entry, waits
from .rows import DAY, T0, owe


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


UNCONFIRMED = Outcome(Effect.UNCONFIRMED, T0 - DAY, "f" * 64)


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

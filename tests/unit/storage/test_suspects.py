"""What was booked under a key is counted and pardoned, on each database."""

from dataclasses import replace

import sqlalchemy as sa

from sidecar.storage import ledger
from sidecar.storage.database import Database
from sidecar.storage.schema import event
from sidecar.storage.suspects import by_key, pardon, suspects

from .rows import DAY, T0, bounce, notice

LEAKED, OTHER = "0123abcd", "ffffffff"


async def enter(
    database: Database, day: int, user_id: int, key_id: str = LEAKED, *, hard: bool = True
) -> None:
    failure = replace(bounce(T0 + day * DAY, hard=hard, user_id=user_id), key_id=key_id)

    def work(connection: sa.Connection) -> None:
        notice_id = ledger.append(connection, notice(day * 1000 + user_id, failure.received))
        assert notice_id
        assert ledger.book(connection, notice_id, failure)

    await database.write(work)


async def test_only_what_that_key_signed_since_then_is_pardoned(database: Database) -> None:
    await enter(database, 0, 7)
    await enter(database, 1, 7)
    await enter(database, 1, 8)
    await enter(database, 1, 9, hard=False)
    await enter(database, 2, 7, OTHER)
    assert await database.read(by_key) == {LEAKED: 4, OTHER: 1}
    found = await database.read(lambda c: suspects(c, LEAKED, T0 + DAY))
    assert (found.bounces, found.hard, found.users, found.unconfirmed) == (3, 2, 2, [])
    assert await database.write(lambda c: pardon(c, LEAKED, T0 + DAY, T0)) == 2
    assert await database.write(lambda c: pardon(c, LEAKED, T0 + DAY, T0)) == 0
    after = [await database.read(lambda c, key=key: suspects(c, key, None)) for key in (LEAKED, OTHER)]
    assert [(one.bounces, one.hard) for one in after] == [(4, 1), (1, 1)]
    told = await database.read(lambda c: list(c.execute(sa.select(event.c.what, event.c.detail))))
    assert told[0] == ("key pardoned", f"{LEAKED}: 2 bounces pardoned by an operator")

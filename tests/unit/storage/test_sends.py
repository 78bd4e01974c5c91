"""Sends: mails that were signed and of which nothing came back, whichever is heard of first."""

from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from sidecar.domain.send import Send
from sidecar.storage import ledger, sends
from sidecar.storage.database import Database

from .rows import DAY, T0, bounce, notice


def mail(day: float = 0, user_id: int = 7, tag: str = "a1b2c3") -> Send:
    return Send("enwiki", user_id, T0 + day * DAY, tag, "0123abcd")


async def note(database: Database, *mails: Send) -> None:
    await database.write(lambda c: sends.note(c, mails))


async def fail(database: Database, day: float, *, hard: bool = True, user_id: int = 7) -> None:
    failure = bounce(T0 + day * DAY, hard=hard, user_id=user_id)

    def work(connection: sa.Connection) -> None:
        number = hash((day, user_id))
        notice_id = ledger.append(connection, notice(number, failure.received))
        assert notice_id
        ledger.book(connection, notice_id, failure)

    await database.write(work)


async def newest(database: Database, after: datetime | None = None, settled: float = 0) -> list[float]:
    found = await database.read(lambda c: sends.newest(c, "enwiki", 7, after, T0 + settled * DAY))
    return sorted((one.sent - T0) / DAY for one in found)


async def test_a_mail_is_noted_once(database: Database) -> None:
    await note(database)
    await note(database, mail(), mail(1))
    await note(database, mail(1), mail(), mail(2, user_id=8), mail(3, tag=""))
    assert await newest(database) == [0, 1, 3]


@pytest.mark.parametrize("hard", [True, False])
async def test_what_came_back_is_no_send_whichever_is_heard_of_first(database: Database, hard: bool) -> None:
    await note(database, mail(0))
    await fail(database, 0, hard=hard)
    await fail(database, 1, hard=hard)
    await note(database, mail(0), mail(1), mail(2))
    assert await newest(database) == [2]
    assert await database.read(lambda c: c.execute(sa.text("SELECT count(*) FROM send")).scalar_one()) == 1


async def test_a_row_that_two_nodes_have_left_behind_is_no_send_either(database: Database) -> None:
    await fail(database, 1)
    row = {"wiki": "enwiki", "user_id": 7, "sent": T0 + DAY, "tag": "a1b2c3", "key_id": "0123abcd"}
    await database.write(lambda c: c.execute(sa.insert(sends.send).values(row)))
    assert await newest(database, settled=9) == []


async def test_the_newest_proof_is_found_behind_any_number_of_young_mails(database: Database) -> None:
    await note(database, *(mail(n / 10_000 + 9) for n in range(300)), mail(1), mail(2))
    found = await newest(database, settled=7)
    assert found[0] == 2
    assert len(found) == sends.YOUNG + 1
    assert await newest(database, after=T0 + 2 * DAY, settled=7) == found[1:]


async def test_only_what_no_decision_needs_is_stale(database: Database) -> None:
    """A proof is kept for as long as failures from before it might be counted with later ones."""
    await fail(database, 0)
    await note(database, mail(1), mail(2), mail(3), mail(20), mail(1, user_id=8))

    async def stale(settled_by: float, open_since: float) -> list[tuple[int, float]]:
        found = await database.read(
            lambda c: sends.stale(c, T0 + settled_by * DAY, T0 + open_since * DAY, most=100)
        )
        return sorted((one.user_id, (one.sent - T0) / DAY) for one in found)

    assert await stale(10, -50) == [(7, 1), (7, 2)], "day 3 is the proof, and day 20 may still come back"
    assert await stale(2.5, -50) == [(7, 1)]
    assert await stale(10, 0.5) == [(7, 1), (7, 2)], "who failed, or did not, at day 0 is forgotten later"
    assert await stale(10, 5) == [(7, 1), (7, 2), (7, 3), (8, 1)]
    await database.write(lambda c: sends.drop(c, [mail(1), mail(2), replace(mail(3), tag="000000")]))
    assert await newest(database, settled=30) == [3, 20]

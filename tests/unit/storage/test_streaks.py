"""What it takes to look at who is to be watched, in questions to the database."""

from collections.abc import Collection

import pytest
import sqlalchemy as sa

from sidecar.domain.person import Account, Together
from sidecar.storage import people, schema, streaks
from sidecar.storage.database import Database
from sidecar.storage.streaks import Mark, User

from .rows import DAY, T0
from .works import said

FAILURE = {
    "notice_id": 1, "sent": T0, "tag": "a1b2c3", "key_id": "k", "received": T0, "category": "user-unknown",
    "hard": True, "status": "5.1.1", "rule": "r", "domain": "example.com",
}  # fmt: skip
NOTICE = {"id": 1, "fingerprint": "f", "received": T0, "return_path": "p", "kind": "bounce", "aside": ""}


def fail(connection: sa.Connection, several: Collection[Account]) -> None:
    """A failure of each, and they are one person."""
    connection.execute(schema.notice.insert().values(NOTICE))
    connection.execute(schema.bounce.insert(), [{**vars(one), **FAILURE} for one in several])
    people.answered(connection, Together(min(several), frozenset(several)), T0)


def looked(connection: sa.Connection) -> dict[User, bool]:
    """As after a minute in which all of it was booked, and is forgotten already."""
    touched = streaks.touched(connection, Mark(0, 0, T0 - DAY), T0 + DAY)
    return streaks.who_is_open(connection, touched.others, touched.failing, T0 + DAY)


@pytest.mark.parametrize("number", [10, 40])
async def test_a_person_with_many_accounts_takes_a_question_for_each_and_not_for_each_pair(
    database: Database, number: int
) -> None:
    several = [Account(f"w{n:02}wiki", 7) for n in range(number)]
    await database.write(lambda c: fail(c, several))
    asked = await database.read(lambda c: said(c, looked))
    assert await database.read(looked) == {(one.wiki, one.user_id): False for one in several}
    assert len(asked) <= number + 10

"""How many users usually fail: over four weeks, and looked up once in ten minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.storage import schema, tallies
from sidecar.storage.database import Database
from sidecar.storage.tallies import ALL, SLOT, Usual

from .works import said

NOW = datetime(2026, 11, 28, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def weeks(database: Database) -> Database:
    """Two users in each slot, for five weeks."""
    first = NOW - MINUTE - 35 * 24 * HOUR
    slots = [first + number * SLOT for number in range(35 * 24 * 6 + 1)]
    rows = [{"provider": ALL, "slot": slot, "users": 2} for slot in slots]
    await database.write(lambda c: c.execute(schema.tally.insert(), rows))
    return database


async def test_the_usual_rate_is_that_of_four_weeks(weeks: Database) -> None:
    found = await weeks.read(lambda c: tallies.failed(c, ALL, NOW, None, 10))
    assert found.users == 14, "seven slots, of which the oldest began more than an hour ago"
    assert found.usual == pytest.approx(12, rel=0.01)


async def test_the_usual_rate_is_looked_up_once_in_a_slot(weeks: Database) -> None:
    usual = Usual()
    for at, number in ((NOW, 3), (NOW + 8 * MINUTE, 1), (NOW + 10 * MINUTE, 3)):
        statements = await weeks.read(
            lambda c, at=at: said(c, lambda c: tallies.failed(c, ALL, at, None, 1, usual=usual))  # type: ignore[misc]
        )
        assert len([one for one, _ in statements if one.startswith("SELECT")]) == number

"""When a wiki is asked whose an account is."""

from datetime import timedelta

import pytest

from sidecar.domain.person import Account
from sidecar.storage import people
from sidecar.storage.database import Database

from .rows import DAY, T0

WHO = Account("enwiki", 7)


@pytest.mark.parametrize(
    ("put_off", "due"),
    [(timedelta(0), True), (timedelta(minutes=1), False), (timedelta(hours=1), False), (20 * DAY, True)],
)
async def test_a_question_waits_for_an_hour_but_not_for_the_days_of_a_clock_that_ran_ahead(
    database: Database, put_off: timedelta, due: bool
) -> None:
    await database.write(lambda c: people.want(c, WHO, T0))
    await database.write(lambda c: people.postpone(c, WHO, T0 + put_off))
    assert await database.read(lambda c: people.is_due(c, T0, ())) == due
    asked = await database.write(lambda c: people.claim(c, T0, T0 + timedelta(seconds=30), ()))
    assert (asked is not None) == due

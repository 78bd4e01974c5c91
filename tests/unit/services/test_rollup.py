"""The sums of each day: made once it is over, by whoever comes first, and made again where they changed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from sidecar.services.rollup import Rollup
from sidecar.storage import rates
from sidecar.storage.database import Database
from sidecar.storage.rates import Count, What
from sidecar.storage.schema import bounce, rate
from tests.support.sums_of_days import per_day

from .house import DAY, HARD, SOFT, T0, House, Mail

FIRST = T0.date()
ORDINARY = Mail.of("ordinary")


def rollup(house: House, database: Database | None = None) -> Rollup:
    return Rollup(database or house.database, house.clock)


async def failures(house: House) -> list[Count]:
    return await house.database.read(lambda c: per_day(c, What.CATEGORY, FIRST, house.clock().date()))


async def closed(house: House) -> set[date]:
    return await house.database.read(lambda c: rates.closed(c, FIRST, house.clock().date()))


def days(*numbers: int) -> list[date]:
    return [FIRST + n * DAY for n in numbers]


async def test_nothing_is_summed_where_nothing_was_ever_booked(house: House) -> None:
    assert await rollup(house).round() == []


async def test_a_day_is_summed_when_it_is_over_in_utc_and_not_before(house: House) -> None:
    await house.bounce()
    house.clock.tick(hours=13, minutes=59, seconds=59)
    assert await rollup(house).round() == []
    house.clock.tick(seconds=1)
    assert await rollup(house).round() == days(0)
    assert await failures(house) == [Count(FIRST, "enwiki", "user-unknown", True, 1)]


async def test_days_with_nothing_are_closed_and_old_ones_are_left_alone(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=5)
    assert await rollup(house).round() == days(0, 1, 2, 3, 4)
    assert await rollup(house).round() == days(3, 4), "the last two, again"
    assert await closed(house) == set(days(0, 1, 2, 3, 4))


async def test_a_node_that_was_down_for_long_sums_what_it_missed(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    await rollup(house).round()
    house.clock.tick(days=40)
    await house.bounce(user_id=8)
    house.clock.tick(days=1)
    assert len(await rollup(house).round()) == 41
    assert [(one.day, one.number) for one in await failures(house)] == [(FIRST, 1), (days(41)[0], 1)]


async def test_a_bounce_that_is_committed_after_its_day_was_summed_is_in_the_next_sum(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    await rollup(house).round()
    late = bounce.update().values(received=T0 + timedelta(hours=1), category="moved")
    await house.database.write(lambda c: c.execute(late))
    assert [one.key for one in await failures(house)] == ["user-unknown"]
    await rollup(house).round()
    assert [one.key for one in await failures(house)] == ["moved"]


async def test_what_is_understood_weeks_later_counts_for_the_day_when_it_came(house: House) -> None:
    await house.take(HARD.raw, path := house.signer("frwiki").issue("frwiki", 7, HARD.recipient, T0))
    await house.bounce(user_id=9)
    house.clock.tick(days=30)
    await rollup(house).round()
    house.policies["frwiki"] = house.policies["enwiki"]
    knows = house.taking("enwiki", "frwiki")
    house.clock.tick(days=-25)  # while the return path is good
    assert await knows.reread(1)
    house.clock.tick(days=25)
    wanted = [Count(FIRST, wiki, "user-unknown", True, 1) for wiki in ("enwiki", "frwiki")]
    assert await failures(house) == wanted
    assert FIRST not in await rollup(house).round(), "it need not be summed anew"
    assert await failures(house) == wanted
    assert path
    knows.close()


async def test_two_nodes_that_close_the_same_days_at_once_do_no_harm(house: House, url: str) -> None:
    for user, mail in ((7, HARD), (8, HARD), (9, SOFT)):
        await house.bounce(mail, user)
    house.clock.tick(days=3)
    other = house.database if url.startswith("sqlite") else Database(url)  # SQLite has one node
    nodes = rollup(house), rollup(house, other), rollup(house), rollup(house, other)
    done = await asyncio.gather(*(node.round() for node in nodes))
    if other is not house.database:
        await other.close()
    assert [one[-2:] for one in done] == [days(1, 2)] * 4, "who comes late finds the first day closed"
    assert days(0, 1, 2) in done
    assert [(one.key, one.number) for one in await failures(house)] == [
        ("mailbox-full", 1),
        ("user-unknown", 2),
    ]
    assert (
        await house.database.read(
            lambda c: c.execute(sa.select(sa.func.count()).where(rate.c.what == What.CLOSED)).scalar()
        )
        == 3
    )


@contextmanager
def dying(nth: int) -> Iterator[None]:
    """Whoever inserts for the *nth* time is killed."""
    seen = 0

    def die(_c: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal seen
        seen += statement.startswith("INSERT INTO rate")
        if seen == nth and statement.startswith("INSERT INTO rate"):
            raise KilledError

    sa.event.listen(sa.Engine, "before_cursor_execute", die)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", die)


class KilledError(Exception):
    """The power went."""


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
async def test_killed_half_way_a_day_is_closed_or_it_is_not(house: House, nth: int) -> None:
    await house.bounce()
    await house.bounce(wiki="dewiki")
    house.clock.tick(days=2)
    with dying(nth), pytest.raises(KilledError):
        await rollup(house).round()
    wanted = await failures(house)
    assert [one.number for one in wanted] == [1, 1]
    await rollup(house).round()
    assert await failures(house) == wanted
    assert await closed(house) == set(days(0, 1))


async def test_a_round_that_fails_does_not_end_it(house: House) -> None:
    lost = Database("sqlite:////nowhere/history.db")
    running = asyncio.create_task(rollup(house, lost).run())
    done, _ = await asyncio.wait({running}, timeout=0.5)
    assert not done
    running.cancel()
    await asyncio.wait({running})
    await lost.close()

"""Who is left alone, in a table that all nodes share."""

from datetime import timedelta

from sidecar.storage import circuits
from sidecar.storage.circuits import Standing
from sidecar.storage.database import Database

from .rows import DAY, T0

DOWN = Standing("enwiki", 3, T0 + timedelta(minutes=5), "HTTP 503", T0)
REFUSED = Standing("dewiki", 1, T0, "wrong password", T0 - DAY, "3f9c")


async def test_a_row_is_entered_and_changed_and_dropped(database: Database) -> None:
    for row in (DOWN, REFUSED):
        await database.write(lambda c, row=row: circuits.put(c, row))  # type: ignore[misc]
    assert await database.read(circuits.standing) == {"enwiki": DOWN, "dewiki": REFUSED}
    later = Standing("enwiki", 4, T0 + DAY, "w" * 600, T0 + DAY)
    await database.write(lambda c: circuits.put(c, later))
    found = await database.read(lambda c: circuits.named(c, ["enwiki", "frwiki"]))
    assert (found.keys(), found["enwiki"].failures, found["enwiki"].why) == ({"enwiki"}, 4, "w" * 500)
    await database.write(lambda c: circuits.drop(c, ["enwiki", "frwiki"]))
    await database.write(lambda c: circuits.drop(c, []))
    assert (await database.read(circuits.standing)).keys() == {"dewiki"}


async def test_the_same_row_twice_is_no_mistake(database: Database) -> None:
    for _ in range(2):
        await database.write(lambda c: circuits.put(c, DOWN))
    assert await database.read(circuits.standing) == {"enwiki": DOWN}


async def test_what_has_not_failed_since_goes(database: Database) -> None:
    for row in (DOWN, REFUSED):
        await database.write(lambda c, row=row: circuits.put(c, row))  # type: ignore[misc]
    await database.write(lambda c: circuits.tidy(c, T0))
    assert (await database.read(circuits.standing)).keys() == {"enwiki"}


async def test_who_has_failed_lately(database: Database) -> None:
    for row in (DOWN, REFUSED):
        await database.write(lambda c, row=row: circuits.put(c, row))  # type: ignore[misc]
    assert (await database.read(lambda c: circuits.standing(c, T0))).keys() == {"enwiki"}
    assert len(await database.read(lambda c: circuits.standing(c, T0 - DAY))) == 2

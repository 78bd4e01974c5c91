"""Who is alive: a row for each node, as it was when it was last seen."""

from dataclasses import replace

from sidecar.domain.vitals import NodeSign
from sidecar.storage import nodes
from sidecar.storage.database import Database

from .rows import DAY, T0

FIRST = NodeSign("mx1", "issue, take, act", "0.1.0", T0 - DAY, T0)
WHOLE = NodeSign("mx2", "take", "0.1.0", T0 - DAY, T0, T0, T0 - DAY / 2, True, 3 * 2**40)


async def put(database: Database, *signs: NodeSign) -> tuple[NodeSign, ...]:
    for sign in signs:
        await database.write(lambda c, sign=sign: nodes.put(c, sign))  # type: ignore[misc]
    return await database.read(nodes.seen)


async def test_a_node_has_one_row_with_all_that_it_said(database: Database) -> None:
    assert await put(database, WHOLE, FIRST, WHOLE) == (FIRST, WHOLE)
    later = replace(FIRST, seen=T0 + DAY, version="0.2.0", synchronised=False, free=0)
    assert await put(database, later) == (later, WHOLE)


async def test_the_time_of_the_last_mail_outlives_a_restart_and_the_farewell_does_not(
    database: Database,
) -> None:
    started = replace(WHOLE, started=T0 + DAY, seen=T0 + DAY, stopped=None, signed=None)
    assert await put(database, WHOLE, started) == (replace(started, signed=WHOLE.signed),)
    signed = replace(started, signed=T0 + DAY)
    assert await put(database, signed) == (signed,)


async def test_who_was_not_seen_for_long_is_forgotten(database: Database) -> None:
    await put(database, FIRST, replace(WHOLE, seen=T0 - DAY))
    await database.write(lambda c: nodes.forget(c, T0))
    assert await database.read(nodes.seen) == (FIRST,)

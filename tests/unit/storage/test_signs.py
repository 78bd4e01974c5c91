"""The signs of life that a history shows."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.vitals import UNDER_WAY, CanaryRound, NodeSign, Outbox, Vitals
from sidecar.storage import brakes, canaries, ledger, nodes, rates, signs
from sidecar.storage.actions import State
from sidecar.storage.database import Database
from sidecar.storage.schema import action, canary

from .rows import DAY, T0, bounce, notice, owe

MINUTE = timedelta(minutes=1)


async def look(database: Database, silence: timedelta = DAY) -> Vitals:
    return await database.read(lambda c: signs.vitals(c, T0, silence))


async def test_an_empty_history_shows_nothing_and_no_trouble(database: Database) -> None:
    assert await look(database) == Vitals(T0)


async def test_the_last_of_everything_is_found(database: Database) -> None:
    def live(c: sa.Connection) -> None:
        for days in (3, 2):
            notice_id = ledger.append(c, notice(days, T0 - days * DAY))
            assert notice_id
            ledger.book(c, notice_id, bounce(T0 - days * DAY))
        ledger.append(c, notice(9, T0 - DAY))  # no failure
        for name, ago in (("mx1", 5), ("mx2", 7)):
            nodes.put(c, NodeSign(name, "take", "1", T0 - DAY, T0, signed=T0 - ago * MINUTE))
            rates.add_signed(c, name, {("enwiki", (T0 - n * DAY).date()): 1 for n in range(4)})

    await database.write(live)
    found = await look(database)
    assert (found.noticed, found.bounced) == (T0 - DAY, T0 - 2 * DAY + timedelta(seconds=3))
    assert [node.name for node in found.nodes] == ["mx1", "mx2"]
    assert (found.signed, found.signed_lately) == (T0 - 5 * MINUTE, 4)
    assert (await look(database, 3 * DAY)).signed_lately == 8
    assert found.signed_since == datetime(2026, 11, 18, tzinfo=UTC), "the end of the first day"


async def test_the_outbox_is_told_by_its_states(database: Database) -> None:
    def put(c: sa.Connection, user: int, state: State, **values: object) -> None:
        number = owe(c, user_id=user, now=T0 - user * DAY)
        c.execute(action.update().where(action.c.id == number).values(state=state, **values))

    def live(c: sa.Connection) -> None:
        put(c, 1, State.WAITING)
        put(c, 2, State.WAITING)
        put(c, 3, State.HELD)
        put(c, 4, State.DONE, settled=T0 - 4 * DAY)
        put(c, 5, State.DONE, settled=T0 - 5 * DAY)
        put(c, 6, State.DEAD, settled=T0 - 29 * DAY)
        put(c, 7, State.DEAD, settled=T0 - 31 * DAY)
        put(c, 8, State.OVERTAKEN, settled=T0)

    await database.write(live)
    found = await look(database)
    assert found.outbox == Outbox(2, T0 - 2 * DAY, 1, 1, T0 - 29 * DAY)
    assert found.acted == T0 - 4 * DAY


async def test_what_waits_for_a_person_and_the_brakes_that_hold(database: Database) -> None:
    def live(c: sa.Connection) -> None:
        for days in (2, 3, 1):
            ledger.append(c, notice(days, T0 - days * DAY, aside="no rule matched"))
        ledger.append(c, notice(9, T0 - 9 * DAY))
        assert brakes.trip(c, "", "enwiki", "by hand", T0, since=T0, hold_from=None)

    await database.write(live)
    found = await look(database)
    assert (found.aside, found.aside_since) == (3, T0 - 2 * DAY), "the one that was first set aside"
    [brake] = found.brakes
    assert (brake.wiki, brake.why, brake.tripped, brake.actions) == ("enwiki", "by hand", T0, 0)


async def test_of_canaries_the_newest_are_told_and_not_what_nobody_knows(database: Database) -> None:
    def live(c: sa.Connection) -> None:
        for minutes in range(30):
            number = canaries.enter(c, "mx1", f"token {minutes}", T0 - minutes * MINUTE)
            assert number
            canaries.settle(c, number)
        rows = ((0, UNDER_WAY, None), (1, UNDER_WAY, T0), (2, "refused", None))
        for minutes, error, returned in rows:
            row = canary.update().where(canary.c.token == f"token {minutes}")
            c.execute(row.values(error=error, returned=returned))

    await database.write(live)
    first, second, third, *others = (await look(database)).canaries
    assert first == CanaryRound(T0 - MINUTE, T0, UNDER_WAY)
    assert second == CanaryRound(T0 - 2 * MINUTE, None, "refused")
    assert third == CanaryRound(T0 - 3 * MINUTE)
    assert len(others) == 16

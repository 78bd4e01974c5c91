"""How SQLite finds what a decision, and the watch, ask for: by an index, whatever there is besides."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.brake import Limits
from sidecar.domain.person import Account, Together
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.send import Send
from sidecar.services.decision import consider, mistyped
from sidecar.storage import claims, ledger, people, sends, streaks
from sidecar.storage.database import Database
from sidecar.storage.streaks import Mark

from .rows import DAY, T0, bounce, notice
from .works import said


@pytest.fixture(params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


ENFORCE = {"enwiki": Policy(Streak(2, DAY), Mode.ENFORCE, central=True)}
SHADOW = {"enwiki": replace(ENFORCE["enwiki"], mode=Mode.SHADOW)}
CENTRAL = {"enwiki", "dewiki"}
PERSON = Together(Account("enwiki", 7), frozenset({Account("enwiki", 7), Account("dewiki", 8)}))
SINCE = T0 - 60 * DAY

WORKS: dict[str, Callable[[sa.Connection], object]] = {
    "decide": lambda c: consider(c, bounce(), ENFORCE, Limits(), T0 + 9 * DAY, T0),
    "decide in shadow": lambda c: consider(c, bounce(), SHADOW, Limits(), T0 + 9 * DAY, T0),
    "decide again": lambda c: [consider(c, bounce(), SHADOW, Limits(), T0 + 9 * DAY, T0) for _ in range(2)],
    "mistyped": lambda c: mistyped(c, 1, bounce(), ENFORCE["enwiki"], T0),
    "book": lambda c: ledger.book(c, 1, bounce(T0 + 5 * DAY)),
    "note": lambda c: sends.note(c, [Send("enwiki", 7, T0 + DAY, "a1b2c3", "k")]),
    "mark": lambda c: streaks.mark(c, T0),
    "touched": lambda c: streaks.touched(c, Mark(1, 1, T0 - timedelta(minutes=1)), SINCE),
    "open": lambda c: streaks.who_is_open(c, {("enwiki", 7)}, (), SINCE),
    "whose": lambda c: people.accounts_of(c, Account("dewiki", 8)),
    "want": lambda c: people.want(c, Account("dewiki", 8), T0 + 2 * DAY),
    "question due": lambda c: people.is_due(c, T0, {"frwiki"}),
    "claim a question": lambda c: people.claim(c, T0 + 2 * DAY, T0 + 3 * DAY, {"frwiki"}),
    "overdue": lambda c: people.overdue(c, CENTRAL, T0),
    "answered": lambda c: people.answered(c, PERSON, T0 + DAY),
    "due where accounts are central": lambda c: claims.is_due(c, T0, {"frwiki"}, CENTRAL),
    "in hand": lambda c: claims.in_hand_until(c, PERSON.accounts, T0),
    "next question": people.next_due,
    "stale sends": lambda c: sends.stale(c, T0, SINCE, 10),
}


SMALL = ("SCAN CONSTANT ROW", "SCAN brake")  # a handful of rows at any time


def plans(connection: sa.Connection, work: Callable[[sa.Connection], object]) -> list[str]:
    """Each step of the plan of each statement that *work* executes."""
    steps = []
    for statement, parameters in said(connection, work):
        if statement.startswith("INSERT") and "VALUES" in statement:
            continue  # its plan names children that are looked at only to mend a broken foreign key
        first = parameters[0] if isinstance(parameters, list) else parameters
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", first)
        steps += [row[3] for row in rows]
    return steps


async def explained(database: Database, work: Callable[[sa.Connection], object]) -> list[str]:
    def fill(connection: sa.Connection) -> None:
        for day in range(3):
            notice_id = ledger.append(connection, notice(day))
            assert notice_id
            ledger.book(connection, notice_id, bounce(T0 + day * DAY))
        people.answered(connection, PERSON, T0)

    await database.write(fill)
    return await database.write(lambda c: plans(c, work))


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
async def test_nothing_is_scanned_or_sorted(
    database: Database, work: Callable[[sa.Connection], object]
) -> None:
    steps = await explained(database, work)
    assert steps
    assert [s for s in steps if s.startswith("SCAN") and s not in SMALL] == []
    assert [s for s in steps if "TEMP B-TREE" in s] == []


async def test_no_decision_looks_at_all_actions_that_no_brake_held(database: Database) -> None:
    steps = await explained(database, WORKS["decide"])
    assert any("ix_action_created" in step for step in steps)
    assert not [step for step in steps if "ix_action_brake_id" in step]


async def test_a_scan_would_be_seen(database: Database) -> None:
    steps = await explained(
        database, lambda c: c.execute(sa.text("SELECT * FROM bounce ORDER BY domain")).all()
    )
    assert steps == ["SCAN bounce", "USE TEMP B-TREE FOR ORDER BY"]

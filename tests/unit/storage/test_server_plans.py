"""How the servers find, and lock, what is dropped by age and what a booking asks for: by an index."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from sidecar.storage import accounts, claims, ledger, retention, schema, streaks
from sidecar.storage.database import Database
from tests.support.fixtures_databases import ON_SERVERS

from .rows import DAY, T0, bounce
from .works import said

ROWS = 5_000
BEFORE = T0 + timedelta(minutes=300)
TIMES = ("received", "sent", "created", "due", "settled", "confirmed_before")
SIGNED = {"wiki": "enwiki", "tag": "a", "key_id": "k"}
JUDGED = {"category": "c", "hard": True, "status": "s", "rule": "r", "domain": "d"}
ENDED = {"reason": "", "state": "done", "attempts": 0, "error": "", "effect": ""}
COMMON: dict[sa.Table, dict[str, object]] = {
    schema.account: {"wiki": "enwiki"},
    schema.notice: {"wiki": "enwiki", "return_path": "x", "kind": "bounce", "aside": ""},
    schema.bounce: {**SIGNED, **JUDGED},
    schema.send: SIGNED,
    schema.action: {"wiki": "enwiki", **ENDED},
}
BIG = {table.name for table in COMMON}


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def big(database: Database) -> Database:
    def fill(connection: sa.Connection) -> None:
        for start in range(1, ROWS, 1000):
            numbers = range(start, start + 1000)
            for table, row in COMMON.items():
                timed = [name for name in TIMES if name in table.c]
                rows = [
                    {**row, "user_id": n, **dict.fromkeys(timed, T0 + timedelta(minutes=n))} for n in numbers
                ]
                for number, entry in zip(numbers, rows, strict=True):
                    entry |= {name: str(number) for name in ("fingerprint",) if name in table.c}
                    entry |= {name: number for name in ("notice_id",) if name in table.c}
                connection.execute(table.insert(), rows)

    def analyse(connection: sa.Connection) -> None:
        for name in schema.metadata.tables:
            word = "ANALYZE TABLE" if database.kind == "mariadb" else "ANALYZE"
            connection.exec_driver_sql(f"{word} {name}")

    await database.write(fill)
    await database.write(analyse)
    return database


def dropped(shelf: retention.Shelf) -> Callable[[sa.Connection], object]:
    def work(connection: sa.Connection) -> None:
        keys = retention.find(connection, shelf, BEFORE, 200, 10**9)
        retention.drop(connection, shelf, keys, BEFORE)

    return work


DROPPING = {
    shelf.name: dropped(shelf)
    for shelf in (retention.BOUNCES, retention.SENDS, retention.NOTICES, retention.ACTIONS)
}
BOOKING: dict[str, Callable[[sa.Connection], object]] = {
    "lock": lambda c: accounts.lock(c, "enwiki", 7),
    "book": lambda c: ledger.book(c, 1, bounce(T0 + 5 * DAY)),
    "open": lambda c: streaks.who_is_open(c, {("enwiki", 7)}, (), T0),
    "claim": lambda c: claims.claim(c, T0, T0 + timedelta(minutes=2), ()),
}


def scans(connection: sa.Connection, work: Callable[[sa.Connection], object], word: str = "") -> list[str]:
    """The big tables that are read from end to end, by statements of *work* that begin with *word*."""
    plans = [
        row
        for statement, parameters in said(connection, work)
        if statement.startswith(word) and not statement.startswith("INSERT")
        for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
    ]
    assert plans
    if connection.dialect.name == "postgresql":
        read = [match[1] for (step,) in plans if (match := re.search(r"Seq Scan on (\w+)", step))]
    else:
        read = [row.table for row in plans if row.type == "ALL"]
    return [table for table in read if table in BIG]


@pytest.mark.parametrize("shelf", DROPPING)
async def test_what_goes_by_age_is_locked_and_nothing_besides(big: Database, shelf: str) -> None:
    """A search may read all; it holds nobody up."""
    assert await big.write(lambda c: scans(c, DROPPING[shelf], "DELETE")) == []


@pytest.mark.parametrize("what", BOOKING)
async def test_a_booking_reads_no_big_table_from_end_to_end(big: Database, what: str) -> None:
    assert await big.write(lambda c: scans(c, BOOKING[what])) == []


async def test_a_scan_would_be_seen(big: Database) -> None:
    everything = sa.text("SELECT * FROM bounce ORDER BY domain")
    assert await big.write(lambda c: scans(c, lambda c: c.execute(everything).all())) == ["bounce"]

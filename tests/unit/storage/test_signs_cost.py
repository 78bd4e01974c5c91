"""What it costs to look how it is: as little in a long history as in a short one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sidecar.storage import canaries, rates, signs
from sidecar.storage.actions import State
from sidecar.storage.database import Database
from sidecar.storage.rates import Count, What
from sidecar.storage.schema import action, bounce, canary, notice, rate
from tests.support.sums_of_days import per_day

from .rows import DAY, T0

pytestmark = pytest.mark.slow

LONG = 4000  # rows of each kind, eight a day
MOST = 1000  # of what SQLite calls a step; a row that is looked at takes some five
TODAY = T0.date()
ONE = Count(TODAY, "enwiki", "user-unknown", True, 1)


@pytest.fixture(params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


WORKS: dict[str, Callable[[sa.Connection], object]] = {
    "signs of life": lambda c: signs.vitals(c, T0, DAY),
    "failures of a day": lambda c: per_day(c, What.CATEGORY, TODAY, TODAY),
    "actions of a day": lambda c: per_day(c, What.ACTION, TODAY, TODAY),
    "sum a day": lambda c: rates.close(c, TODAY, rates.sums(c, TODAY)),
    "amend a day": lambda c: rates.amend(c, TODAY, {What.CATEGORY: ONE}),
    "first day": rates.first_day,
    "what was signed in a week": lambda c: per_day(c, What.SIGNED, (T0 - 7 * DAY).date(), TODAY),
    "say what was signed": lambda c: rates.add_signed(c, "mx1", {("enwiki", TODAY): 3}),
    "send a canary": lambda c: canaries.claim(c, "mx1", "new", T0, DAY),
    "a canary is back": lambda c: canaries.returned(c, "token 7", T0),
    "canaries of a node": lambda c: canaries.ended(c, "mx1", LONG - 5, T0),
    "how a canary stands": lambda c: canaries.look(c, 7),
}


def fill(c: sa.Connection) -> None:
    def rows(table: sa.Table, *times: str, **values: Any) -> None:
        whole = [
            {
                **values,
                **dict.fromkeys(times, T0 - n * DAY / 8),
                **{k: v(n) for k, v in values.items() if callable(v)},
            }
            for n in range(LONG)
        ]
        c.execute(table.insert(), whole)

    rows(notice, "received", fingerprint=str, return_path="x", kind="bounce", aside="")
    rows(
        bounce, "received", "sent", notice_id=1, wiki="enwiki", user_id=lambda n: n, tag="a", key_id="k",
        category="quota", hard=False, status="", rule="r", domain="d",
    )  # fmt: skip
    rows(
        action, "settled", "created", "confirmed_before", "due", wiki="enwiki", user_id=lambda n: n,
        reason="", fingerprint="", attempts=0, error="", effect="unconfirmed",
        state=lambda n: State.DONE if n % 2 else State.SHADOW,
    )  # fmt: skip
    rows(canary, "sent", "returned", node="mx1", token=lambda n: f"token {n}", error="")
    rows(
        rate,
        what="signed",
        day=lambda n: str((T0 - n * DAY).date()),
        wiki="enwiki",
        key="mx1",
        hard=False,
        number=1,
    )


def steps(connection: sa.Connection, work: Callable[[sa.Connection], object]) -> int:
    """How many SQLite needs."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    sqlite: Any = connection.connection.driver_connection
    sqlite.set_progress_handler(count, 1)
    work(connection)
    sqlite.set_progress_handler(None, 1)
    return taken


async def test_a_long_history_costs_no_more(database: Database) -> None:
    await database.write(fill)
    took = {name: await database.write(lambda c, w=work: steps(c, w)) for name, work in WORKS.items()}  # type: ignore[misc]
    assert {name: number for name, number in took.items() if number > MOST} == {}


async def test_a_scan_would_be_seen(database: Database) -> None:
    await database.write(fill)
    scan = sa.select(sa.func.count()).where(bounce.c.domain == "x")
    assert await database.write(lambda c: steps(c, lambda c: c.execute(scan).all())) > 2 * MOST
    old = timedelta(days=400)
    assert await database.read(lambda c: per_day(c, What.SIGNED, (T0 - old).date(), TODAY))

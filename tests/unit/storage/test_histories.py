"""What a decision is made from: everything where it is short, and where it is long, enough for the same."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.history import Fate, History, Mail
from sidecar.domain.person import Account
from sidecar.domain.policy import PRESETS, Mode, Policy, Rule, Streak, Window, decide
from sidecar.domain.send import Send
from sidecar.domain.wiki import Effect, Outcome, Warn
from sidecar.storage import claims, outbox, schema, sends
from sidecar.storage.claims import LEASE
from sidecar.storage.database import Database
from sidecar.storage.histories import history_of
from sidecar.storage.outbox import Because

from .rows import DAY, T0, owe

SPECIFICATION = Policy(Streak(), Mode.ENFORCE)


def row(number: int, day: float, **other: object) -> dict[str, object]:
    sent = T0 + day * DAY
    usual = {
        "category": "user-unknown",
        "hard": True,
        "status": "5.1.1",
        "rule": "r",
        "domain": "example.com",
    }
    token = {"wiki": "enwiki", "user_id": 7, "sent": sent, "tag": "a1b2c3", "key_id": "0123abcd"}
    return {"id": number, "notice_id": 1, "received": sent, **token, **usual, **other}


async def fill(database: Database, rows: list[dict[str, object]]) -> None:
    def work(connection: sa.Connection) -> None:
        values = {"fingerprint": "f", "received": T0, "return_path": "p", "kind": "bounce", "aside": ""}
        connection.execute(schema.notice.insert().values(id=1, **values))
        usual = {"pardon": None, "confirming": False}
        connection.execute(schema.bounce.insert(), [{**usual, **entry} for entry in rows])

    await database.write(work)


async def history(database: Database, day: float, policy: Policy = SPECIFICATION) -> History:
    return await database.read(lambda c: history_of(c, Account("enwiki", 7), policy, T0 + day * DAY))


async def test_a_short_history_is_told_whole(database: Database) -> None:
    await fill(
        database,
        [
            row(1, 0),
            row(2, 1, hard=False, category="mailbox-full"),
            row(3, 2, pardon=5),
            row(4, 3, confirming=True),
            row(5, 4, user_id=8),
            row(6, 4, wiki="dewiki"),
        ],
    )
    await database.write(lambda c: sends.note(c, [Send("enwiki", 7, T0 + 5 * DAY, "a1b2c3", "0123abcd")]))
    found = await history(database, 9)
    assert sorted(found.mails, key=lambda mail: mail.sent) == [
        Mail(T0, Fate.HARD, "user-unknown", "a1b2c3", "0123abcd", 1, wiki="enwiki"),
        Mail(T0 + 1 * DAY, Fate.SOFT, "mailbox-full", "a1b2c3", "0123abcd", 2, wiki="enwiki"),
        Mail(T0 + 2 * DAY, Fate.HARD, "user-unknown", "a1b2c3", "0123abcd", 3, pardoned=True, wiki="enwiki"),
        Mail(
            T0 + 3 * DAY, Fate.HARD, "user-unknown", "a1b2c3", "0123abcd", 4, confirming=True, wiki="enwiki"
        ),
        Mail(T0 + 5 * DAY, Fate.NOTHING, "", "a1b2c3", "0123abcd", wiki="enwiki"),
    ]
    assert (found.forget_until, found.warned) == (None, None)


async def test_what_was_sent_up_to_the_last_action_is_left_out(database: Database) -> None:
    await database.write(owe)
    owed = await database.write(lambda c: claims.claim(c, T0, T0 + LEASE, ()))
    assert owed
    await database.write(lambda c: outbox.close(c, owed, outbox.State.DEAD, "no", T0 + 2 * DAY))
    mails = [Send("enwiki", 7, T0 + day * DAY, "a1b2c3", "0123abcd") for day in (1, 2, 3)]
    await database.write(lambda c: sends.note(c, mails))
    found = await history(database, 9)
    assert [mail.sent for mail in found.mails] == [T0 + 3 * DAY]
    assert found.forget_until == T0 + 2 * DAY


#: Many a day, for many days: what the rule sees of it must be what it would see of all.
LONG: list[Rule] = [
    *(preset.rule for preset in PRESETS.values()),
    Streak(hard_bounces=30, daily=True),
    Streak(span=20 * DAY),
    Window(700, timedelta(days=5)),
    Window(20, timedelta(days=30), daily=True),
]


A_DAY = 250


@pytest.mark.slow  # all of them together
@pytest.mark.parametrize("rule", LONG, ids=str)
@pytest.mark.parametrize("days", [2, 25])
@pytest.mark.parametrize("warned", [None, 0.04, -4.0], ids=["not warned", "early", "late"])
async def test_of_a_long_history_the_newest_part_decides_as_the_whole_would(
    database: Database, rule: Rule, days: int, warned: float | None
) -> None:
    rows = [row(n + 1, n / A_DAY) for n in range(days * A_DAY)]
    await fill(database, rows)
    policy, when = Policy(rule, Mode.ENFORCE, warn=warned is not None), None
    if warned is not None:
        when = T0 + (warned if warned > 0 else max(days + warned, 0)) * DAY
        await database.write(lambda c: warn(c, when))
    part = await history(database, days, policy)
    assert part.warned == when
    mails = [
        Mail(T0 + n / A_DAY * DAY, Fate.HARD, "user-unknown", "a1b2c3", "0123abcd") for n in range(len(rows))
    ]
    one, other = (
        decide("enwiki", 7, told, policy, T0 + days * DAY) for told in (replace(part, mails=mails), part)
    )
    assert type(one and one.action) is type(other and other.action)
    assert len(part.mails) <= max(policy.rule.hard_bounces, 100) * (days + 4), "a page a day, and some"


def warn(connection: sa.Connection, when: datetime) -> None:
    """The user was warned then."""
    action_id = outbox.enqueue(connection, Warn("enwiki", 7, T0, "1 hard bounce"), Because(), when)
    owed = claims.claim(connection, when, when + LEASE, ())
    assert owed
    assert owed.id == action_id
    outbox.settle(connection, owed, Outcome(Effect.WARNED), None, when)

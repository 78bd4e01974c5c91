"""The history: what came is kept once, and counts once."""

import zlib
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
import sqlalchemy as sa

from sidecar.storage import aside, ledger, retention
from sidecar.storage.database import Database
from sidecar.storage.schema import notice as notice_table

from .rows import DAY, T0, bounce, notice


async def book(database: Database, *bounces: ledger.Bounce) -> list[bool]:
    """Each in a notice of its own, in one transaction."""

    def work(connection: sa.Connection) -> list[bool]:
        answers = []
        for one in bounces:
            count = connection.execute(sa.select(sa.func.count()).select_from(notice_table)).scalar_one()
            notice_id = ledger.append(connection, notice(count))
            assert notice_id is not None
            answers.append(ledger.book(connection, notice_id, one) is not None)
        return answers

    return await database.write(work)


async def of_user(database: Database, user_id: int = 7) -> list[ledger.Bounce]:
    """Without the numbers of their rows."""
    found = await database.read(lambda c: ledger.of_user(c, "enwiki", user_id))
    names = ledger.Bounce.__dataclass_fields__
    return [ledger.Bounce(**{name: getattr(one, name) for name in names}) for one in found]


def raw_mails(connection: sa.Connection) -> list[bytes | None]:
    return list(connection.execute(sa.select(notice_table.c.raw).order_by(notice_table.c.id)).scalars())


async def test_the_same_mail_is_appended_once(database: Database) -> None:
    first = await database.write(lambda c: ledger.append(c, notice(1)))
    assert first is not None
    for same in (notice(1), replace(notice(1), return_path=notice(1).return_path.upper(), received=T0 + DAY)):
        assert await database.write(lambda c, same=same: ledger.append(c, same)) is None
    for other in (notice(2), replace(notice(1), raw=b"another")):
        assert await database.write(lambda c, other=other: ledger.append(c, other)) is not None


async def test_a_fingerprint_does_not_mix_the_address_with_the_mail() -> None:
    assert ledger.Notice("ab", b"c", T0).fingerprint != ledger.Notice("a", b"bc", T0).fingerprint


async def test_the_raw_mail_is_kept_whole(database: Database) -> None:
    raw = bytes(range(256)) * 100
    await database.write(lambda c: ledger.append(c, replace(notice(1), raw=raw)))
    [kept] = await database.read(raw_mails)
    assert kept is not None
    assert len(kept) < len(raw)
    assert zlib.decompress(kept) == raw


SOFT_LATER = replace(bounce(hard=False), category="delayed-too-long")


@pytest.mark.parametrize(
    ("reports", "answers", "kept"),
    [
        ([bounce()], [True], bounce()),
        ([bounce(), bounce()], [True, False], bounce()),
        ([bounce(hard=False), bounce()], [True, True], bounce()),
        ([bounce(), bounce(hard=False)], [True, False], bounce()),
        ([bounce(hard=False), SOFT_LATER], [True, False], bounce(hard=False)),
        ([bounce(hard=False), bounce(), bounce()], [True, True, False], bounce()),
    ],
    ids=["hard", "hard twice", "soft, then hard", "hard, then soft", "soft twice", "soft, hard, hard"],
)
async def test_a_token_counts_once_and_only_gets_worse(
    database: Database, reports: list[ledger.Bounce], answers: list[bool], kept: ledger.Bounce
) -> None:
    assert await book(database, *reports) == answers
    assert await of_user(database) == [kept]


async def test_other_tokens_are_other_bounces(database: Database) -> None:
    others = [
        bounce(),
        bounce(T0 + timedelta(seconds=1)),
        bounce(tag="ffffff"),
        bounce(user_id=8),
        replace(bounce(), wiki="dewiki"),
    ]
    assert await book(database, *others) == [True] * 5
    assert await of_user(database, 8) == [bounce(user_id=8)]


async def test_an_upgraded_bounce_points_to_the_mail_that_said_so(database: Database) -> None:
    await book(database, bounce(hard=False), bounce())
    [[points_to]] = await database.read(lambda c: c.execute(sa.text("SELECT notice_id FROM bounce")).all())
    assert points_to == 2


async def test_times_come_back_aware_and_in_utc_whatever_zone_they_had(database: Database) -> None:
    tokyo = T0.astimezone(timezone(timedelta(hours=9)))
    await book(database, bounce(tokyo))
    [kept] = await of_user(database)
    assert kept.sent == T0
    assert kept.sent.utcoffset() == timedelta(0)


async def test_a_users_history_is_in_the_order_of_sending(database: Database) -> None:
    days = [3, 1, 2]
    await book(database, *(bounce(T0 + day * DAY) for day in days))
    assert [one.sent for one in await of_user(database)] == [T0 + day * DAY for day in sorted(days)]


async def test_what_waits_for_a_person_is_counted(database: Database) -> None:
    for number, why in enumerate(["", "unknown wiki", "could not be read"]):
        await database.write(lambda c, n=number, w=why: ledger.append(c, notice(n, aside=w)))
    assert await database.read(aside.waiting) == 2


async def test_the_same_mail_is_a_duplicate_even_after_its_text_was_dropped(database: Database) -> None:
    await database.write(lambda c: ledger.append(c, notice(1)))
    before = T0 + DAY
    await database.write(lambda c: retention.drop(c, retention.MAILS, [(1,)], before))
    assert await database.write(lambda c: ledger.append(c, notice(1))) is None

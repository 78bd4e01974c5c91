"""Every mail that comes in: what it is told, and what is booked of it."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.domain.policy import Streak
from sidecar.services.receipt import Receipt
from sidecar.storage import aside, ledger
from sidecar.storage.actions import State
from sidecar.threads import NoThread

from .house import DAY, HARD, SOFT, T0, House, Mail

UNKNOWN, FULL = ("user-unknown", True), ("mailbox-full", False)
FORWARDED = ("forwarded", False)


class Broken(Streak):
    """A policy that fails when it is asked, which is after the bounce was entered."""

    def __getattribute__(self, name: str) -> object:
        if name == "hard_bounces":
            raise OSError("the policy cannot be read")
        return super().__getattribute__(name)


async def rows(house: House) -> dict[str, int]:
    def count(connection: sa.Connection) -> dict[str, int]:
        tables = ("notice", "bounce", "action", "event")
        return {
            table: connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in tables
        }

    return await house.database.read(count)


async def test_a_bounce_is_booked_for_the_user_whom_the_return_path_names(house: House) -> None:
    path = house.path(user_id=42)
    house.clock.tick(minutes=3)
    assert await house.take(HARD.raw, path) is Receipt.TAKEN
    [bounce] = await house.database.read(lambda c: ledger.of_user(c, "enwiki", 42))
    assert (bounce.sent, bounce.received) == (T0, house.clock())
    assert (bounce.category, bounce.hard, bounce.status) == ("user-unknown", True, "5.1.1")
    assert bounce.domain == "remote.example"
    assert bounce.rule


@pytest.mark.parametrize(
    ("path", "receipt"),
    [
        ("bob@example.com", Receipt.NOT_OURS),
        ("", Receipt.NOT_OURS),
        (House.signer("enwiki", key=b"x" * 32).issue("enwiki", 7, HARD.recipient, T0), Receipt.FORGED),
        (House.signer("enwiki").issue("enwiki", 7, HARD.recipient, T0 - 11 * DAY), Receipt.TOO_LATE),
    ],
)
async def test_what_is_not_for_us_is_refused_and_leaves_nothing(
    house: House, path: str, receipt: Receipt
) -> None:
    assert house.intake.refusal(path) is receipt
    assert await house.take(HARD.raw, path) is receipt
    assert set((await rows(house)).values()) == {0}


async def test_what_is_for_us_is_not_refused_in_any_case(house: House) -> None:
    for spelling in (house.path(), house.path().upper(), f"<{house.path()}>"):
        assert house.intake.refusal(spelling) is None


async def test_a_wiki_that_is_not_configured_is_set_aside(house: House) -> None:
    path = house.signer("frwiki").issue("frwiki", 7, HARD.recipient, T0)
    assert house.intake.refusal(path) is None
    assert await house.take(HARD.raw, path) is Receipt.SET_ASIDE
    assert await house.take(HARD.raw, path) is Receipt.DUPLICATE
    assert await house.database.read(aside.waiting) == 1
    assert (await rows(house))["bounce"] == 0


async def test_a_mail_that_the_reader_cannot_bear_is_set_aside_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(raw: bytes) -> None:
        raise RecursionError("a mail in a mail in a mail")

    monkeypatch.setattr("sidecar.services.reading.read", crash)
    assert await house.bounce() is Receipt.SET_ASIDE
    assert await house.bounce() is Receipt.DUPLICATE
    assert await house.database.read(aside.waiting) == 1
    assert await rows(house) == {"notice": 1, "bounce": 0, "action": 0, "event": 0}


async def test_where_memory_is_short_nothing_is_booked_and_the_mail_server_keeps_the_mail(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(raw: bytes) -> None:
        raise MemoryError

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("sidecar.services.reading.read", short)
        with pytest.raises(MemoryError):
            await house.bounce()
    assert await rows(house) == {"notice": 0, "bounce": 0, "action": 0, "event": 0}
    assert await house.bounce() is Receipt.TAKEN


async def test_the_same_mail_twice_counts_once(house: House) -> None:
    path = house.path()
    assert await house.take(HARD.raw, path) is Receipt.TAKEN
    for again in (path, path.upper()):
        assert await house.take(HARD.raw, again) is Receipt.DUPLICATE
    assert await house.history() == [UNKNOWN]


async def test_the_same_mail_that_was_sent_counts_once_whatever_comes_back_for_it(house: House) -> None:
    path = house.path()
    for number in range(4):
        house.clock.tick(days=2)
        assert await house.take(HARD.raw + b"%d" % number, path) is Receipt.TAKEN
    assert await house.history() == [UNKNOWN]
    assert (await rows(house)) == {"notice": 4, "bounce": 1, "action": 0, "event": 0}


async def test_soft_and_later_hard_for_the_same_mail_is_hard_and_may_decide(house: House) -> None:
    path = house.path()
    other_words = SOFT.raw.replace(SOFT.recipient.encode(), HARD.recipient.encode())
    assert await house.take(other_words, path) is Receipt.TAKEN
    assert await house.history() == [FULL]
    house.clock.tick(days=1)
    for _ in range(2):
        house.clock.tick(days=3)
        await house.bounce()
    assert await house.actions() == []
    house.clock.tick(days=1)
    assert await house.take(HARD.raw, path) is Receipt.TAKEN
    assert await house.history() == [UNKNOWN] * 3
    assert [action.state for action in await house.actions()] == [State.WAITING]


@pytest.mark.parametrize(
    ("case", "mta", "booked"),
    [
        ("mailbox-full", "postfix", [FULL] * 3),
        ("mailbox-full", "exim", [FULL] * 3),
        ("blocklisted", "postfix", [("blocked", False)] * 3),
        ("content-policy", "exim", [("spam", False)] * 3),
        ("busy-delayed", "postfix", []),
        ("busy-delayed", "exim", []),
        ("success", "postfix", []),
        ("auto-reply", "exim", []),
    ],
)
async def test_what_is_no_proof_against_the_address_never_counts(
    house: House, case: str, mta: str, booked: list[tuple[str, bool]]
) -> None:
    await house.fail_for_eight_days(7, mail=Mail.of(case, mta))
    assert await house.history() == booked
    assert await rows(house) == {"notice": 3, "bounce": len(booked), "action": 0, "event": 0}


async def test_a_mail_that_failed_behind_a_forwarder_never_counts(house: House) -> None:
    await house.fail_for_eight_days(7, mail=Mail(HARD.raw, "bob@example.com"))
    assert await house.history() == [FORWARDED] * 3
    assert await house.actions() == []


async def test_a_mail_that_one_of_several_final_addresses_failed_to_take_never_counts(house: House) -> None:
    """A server behind a forwarder that tells the original address too (RFC 3464 section 2.3.1)."""
    raw = HARD.raw.replace(
        b"Final-Recipient: rfc822; " + HARD.recipient.encode(), b"Final-Recipient: rfc822; other@example.com"
    )
    assert raw != HARD.raw
    assert b"Original-Recipient" in raw
    assert await house.bounce(Mail(raw, HARD.recipient)) is Receipt.TAKEN
    assert await house.history() == [FORWARDED]


async def test_a_mail_that_comes_while_we_close_is_not_set_aside(house: House) -> None:
    house.intake.close()
    with pytest.raises(NoThread):
        await house.take(HARD.raw, house.path())
    assert (await rows(house))["notice"] == 0


def another_report(address: str, action: str, words: str) -> bytes:
    """The mail of a hard bounce with a second recipient in it."""
    fields = f"Final-Recipient: rfc822; {address}\nAction: {action}\nDiagnostic-Code: smtp; {words}\n"
    fields += f"Status: {words[4:9]}\n"
    first = b"    rejected: User unknown in local recipient table\r\n\r\n"
    assert HARD.raw.count(first) == 1
    return HARD.raw.replace(first, first + fields.replace("\n", "\r\n").encode() + b"\r\n")


@pytest.mark.parametrize(
    ("user", "raw", "booked"),
    [
        (HARD.recipient, another_report(HARD.recipient, "failed", "452 4.2.2 Mailbox full"), FULL),
        (HARD.recipient, another_report("bob@example.com", "failed", "452 4.2.2 Mailbox full"), UNKNOWN),
        ("bob@example.com", another_report("bob@example.com", "failed", "552 5.2.2 Mailbox full"), FULL),
        (
            "bob@example.com",
            another_report("bob@example.com", "delayed", "452 4.2.2 Mailbox full"),
            FORWARDED,
        ),
        ("bob@example.com", another_report("bob@example.com", "relayed", "250 2.0.0 Ok"), FORWARDED),
    ],
    ids=["mildest of one address", "other's is milder", "ours is second", "ours waits", "ours arrived"],
)
async def test_of_several_reports_the_users_own_failure_counts_and_the_mildest_of_them(
    house: House, user: str, raw: bytes, booked: tuple[str, bool]
) -> None:
    assert await house.bounce(Mail(raw, user)) is Receipt.TAKEN
    assert await house.history() == [booked]


@pytest.mark.sqlite
async def test_a_locked_database_raises_books_nothing_and_the_same_mail_is_taken_later(
    house: House, tmp_path: Path
) -> None:
    path = house.path()
    operator = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    operator.execute("BEGIN IMMEDIATE")
    with pytest.raises(sa.exc.OperationalError, match="locked"):
        await house.take(HARD.raw, path)
    operator.close()
    assert set((await rows(house)).values()) == {0}
    assert await house.take(HARD.raw, path) is Receipt.TAKEN


async def test_what_fails_after_the_bounce_was_entered_takes_the_bounce_back(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=4)
    await house.bounce()
    house.clock.tick(days=4)
    policy = house.policies["enwiki"]
    house.policies["enwiki"] = replace(policy, rule=Broken())
    with pytest.raises(OSError, match="the policy"):
        await house.bounce()
    assert await rows(house) == {"notice": 2, "bounce": 2, "action": 0, "event": 0}
    assert house.owed == []
    house.policies["enwiki"] = policy
    assert await house.bounce() is Receipt.TAKEN
    assert await rows(house) == {"notice": 3, "bounce": 3, "action": 1, "event": 1}

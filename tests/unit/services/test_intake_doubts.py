"""In doubt it records and does nothing: hard words that do not count, and why."""

from datetime import timedelta

import pytest

from sidecar.domain.policy import PRESETS, Mode, Policy
from sidecar.domain.verp import BounceHandlerFormat, Verp
from sidecar.services.intake import BounceIntake
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage import ledger
from sidecar.storage.actions import State

from .house import DAY, HARD, RULES, WIKIS, House
from .test_intake import another_report


async def judged(house: House) -> list[tuple[str, bool, str]]:
    found = await house.database.read(lambda connection: ledger.of_user(connection, "enwiki", 7))
    return [(bounce.category, bounce.hard, bounce.rule) for bounce in found]


async def test_what_has_a_sender_is_no_delivery_report_of_a_mail_server(house: House) -> None:
    """RFC 5321 section 4.5.5: those have the null sender. An automatic answer may quote one."""
    received = Received(house.path(7, HARD.recipient), "away@example.com", HARD.raw)
    assert await house.intake.take(received) is Receipt.TAKEN
    assert await judged(house) == [("user-unknown", False, "sender-not-null")]


@pytest.mark.parametrize(
    ("action", "words"),
    [("delivered", "250 2.0.0 Ok"), ("relayed", "250 2.0.0 Ok"), ("delayed", "451 4.3.0 Busy")],
)
async def test_what_failed_and_also_arrived_at_the_same_address_does_not_count(
    house: House, action: str, words: str
) -> None:
    raw = another_report(HARD.recipient, action, words)
    assert await house.take(raw, house.path(7, HARD.recipient)) is Receipt.TAKEN
    assert await judged(house) == [("user-unknown", False, "arrived-too")]


@pytest.mark.parametrize(("original", "counts"), [(HARD.recipient, True), ("list-member@example.com", False)])
async def test_bouncehandlers_return_paths_tell_forwarding_by_the_original_recipient(
    house: House, original: str, counts: bool
) -> None:
    theirs = BounceHandlerFormat("wiki", "bounces.example.org", b"an old secret of 2014")
    verp = Verp((theirs,), WIKIS, accept=10 * DAY)
    paths = ReturnPaths(verp, house.clock)
    intake = BounceIntake(house.database, paths, RULES, house.policies, house.clock)
    raw = HARD.raw.replace(
        b"Original-Recipient: rfc822;" + HARD.recipient.encode(),
        b"Original-Recipient: rfc822;" + original.encode(),
    )
    assert await intake.take(Received(paths.issue("enwiki", 7, original), "", raw)) is Receipt.TAKEN
    intake.close()
    assert [hard for _, hard, _ in await judged(house)] == [counts]


async def test_mail_that_was_sent_in_the_future_counts_for_nobody(house: House) -> None:
    house.policies["enwiki"] = Policy(PRESETS["wikimedia"].rule, Mode.ENFORCE)
    house.clock.tick(days=30)  # a clock that runs ahead
    paths = [house.path(7, HARD.recipient) for _ in range(5) if house.clock.tick(minutes=1) is None]
    house.clock.tick(days=-30)
    for path in paths:
        assert await house.take(HARD.raw, path) is Receipt.TAKEN
    assert {rule for _, _, rule in await judged(house)} == {"sent-in-the-future"}
    assert await house.actions() == []


async def test_a_clock_that_is_a_little_ahead_undoes_no_confirmation_of_today(house: House) -> None:
    house.policies["enwiki"] = Policy(PRESETS["wikimedia"].rule, Mode.ENFORCE)
    house.clock.tick(minutes=50)
    paths = [house.path(7, HARD.recipient) for _ in range(5) if house.clock.tick(seconds=1) is None]
    house.clock.tick(minutes=-51)
    for path in paths:
        await house.take(HARD.raw, path)
    house.wiki.confirmed[7] = house.clock()
    assert await house.dispatcher.step()
    assert await house.states() == [(7, "done", "changed")]


async def test_old_mail_that_is_taken_in_now_falls_due_now(house: House) -> None:
    """Else one refused connection would be a quarter too late."""
    wall = house.clock() + 400 * DAY
    intake = BounceIntake(
        house.database, ReturnPaths(house.verp, house.clock), RULES, house.policies, house.clock,
        wall_clock=lambda: wall, limits=house.limits,
    )  # fmt: skip
    for _ in range(3):
        await intake.take(Received(house.path(7, HARD.recipient), "", HARD.raw))
        house.clock.tick(days=4)
    intake.close()
    [owed] = await house.actions(State.WAITING)
    assert owed.created == owed.due == wall
    assert owed.created - house.clock() > timedelta(days=300)

"""What is old goes, a little at a time; what is still needed stays, whatever its age."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.send import Send
from sidecar.services import upkeep
from sidecar.services.undo import undo
from sidecar.services.upkeep import Keep, Upkeep
from sidecar.storage import aside, brakes, digests, sends
from sidecar.storage.actions import State
from sidecar.storage.histories import history_of
from sidecar.storage.retention import BOUNCES, MAILS, drop, find
from sidecar.storage.schema import (
    action_bounce,
    bounce,
    brake,
    event,
    metadata,
    notice,
    requirement,
    send,
    tally,
)
from sidecar.storage.undoing import undoable

from .house import DAY, HARD, SOFT, T0, House

KEEP = Keep(mail=14 * DAY, aside=60 * DAY, bounces=90 * DAY, audit=365 * DAY)


def keeper(house: House, keep: Keep = KEEP) -> Upkeep:
    return Upkeep(house.database, keep, house.clock)


async def kept(house: House) -> list[bool]:
    query = sa.select(notice.c.raw.is_not(None)).order_by(notice.c.id)
    return await house.database.read(lambda connection: [bool(row[0]) for row in connection.execute(query)])


async def rows(house: House, *tables: sa.Table) -> dict[str, int]:
    """How many there are in each table that has any."""
    chosen = tables or tuple(table for table in metadata.tables.values() if table is not requirement)
    counts = await house.database.read(
        lambda c: {t.name: c.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in chosen}
    )
    return {name: count for name, count in counts.items() if count}


async def pay(house: House) -> None:
    while await house.dispatcher.step():
        pass


async def sign(house: House, sent: datetime, user_id: int = 7) -> None:
    """A mail that does not come back, to a user whose failures are under way."""
    token = house.verp.recognise(house.verp.issue("enwiki", user_id, HARD.recipient, sent), sent)
    mail = Send(token.wiki, token.user_id, token.sent, token.tag, token.key_id)
    await house.database.write(lambda c: sends.note(c, [mail]))


async def test_mail_is_kept_for_its_days_and_bounces_for_theirs(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    await house.bounce()
    house.clock.tick(days=13)
    assert await keeper(house).round() == {}
    house.clock.tick(seconds=1)
    assert await keeper(house).round() == {"mails": 1}
    assert await keeper(house).round() == {}
    assert await kept(house) == [False, True]
    assert len(await house.history()) == 2


async def test_what_was_set_aside_waits_longer_for_somebody_to_look_but_not_for_ever(house: House) -> None:
    path = house.signer("frwiki").issue("frwiki", 7, HARD.recipient, house.clock())
    await house.take(HARD.raw, path)
    house.clock.tick(days=60)
    assert await keeper(house).round() == {}
    assert await kept(house) == [True]
    assert await house.database.read(aside.waiting) == 1
    house.clock.tick(seconds=1)
    assert await keeper(house).round() == {"set_aside": 1}
    assert await kept(house) == [False]
    assert await house.database.read(aside.waiting) == 0


def locked(house: House, number: int) -> dict[str, int]:
    """Rows that exist to be locked: SQLite's only writer needs none."""
    return {} if house.database.kind == "sqlite" else {"accounts": number}


async def test_bounces_go_with_their_notices_sends_and_decisions_later(house: House) -> None:
    await house.fail_for_eight_days(7)
    await sign(house, house.clock() - 10 * DAY, user_id=8)
    await pay(house)
    house.clock.tick(days=90, seconds=1)
    await keeper(house).round()
    assert await rows(house, bounce, notice, action_bounce) == {}
    assert [entry.state for entry in await house.actions()] == [State.DONE]
    house.clock.tick(days=275)
    assert await keeper(house).round() == {"actions": 1, "tallies": 6, **locked(house, 2)}
    assert await rows(house) == {}


async def test_what_waits_or_is_held_keeps_its_bounces_and_the_proofs_after_them(house: House) -> None:
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "", "stop", now, since=now, hold_from=None))
    await house.fail_for_eight_days(7)
    await sign(house, house.clock() + timedelta(hours=1))
    await house.bounce(user_id=9)
    house.clock.tick(days=400)
    await keeper(house).round()
    assert await rows(house, bounce, notice, action_bounce) == {"bounce": 3, "notice": 3, "action_bounce": 3}
    policy = house.policies["enwiki"]
    history = await house.database.read(lambda c: history_of(c, Account("enwiki", 7), policy, house.clock()))
    assert len(history.mails) == 4
    assert await rows(house, brake) == {"brake": 1}
    await house.database.write(lambda c: brakes.release(c, 1, house.clock()))
    await pay(house)
    assert house.wiki.calls == []  # mail has arrived since: nobody is un-confirmed for what is left


async def test_a_failure_before_a_proof_never_counts_again_because_the_proof_was_dropped(
    house: House,
) -> None:
    """The proof was sent later, and would be old enough earlier: the failure came back days after it."""
    late = house.path()
    await sign(house, T0 + DAY)
    house.clock.tick(days=9)
    await house.take(HARD.raw, late)
    house.clock.tick(days=83)  # the send is 91 days old, the bounce came 83 days ago
    await keeper(house).round()
    assert await rows(house, send, bounce) == {"send": 1, "bounce": 1}
    house.clock.tick(days=8)
    assert await keeper(house).round() == {"bounces": 1, "sends": 1, "notices": 1, **locked(house, 1)}


async def test_a_users_mails_go_oldest_first(house: House) -> None:
    """Else the failure of the old address would count again when the mail to the new one is dropped."""
    late = house.path()
    house.clock.tick(days=1)
    moved = SOFT.raw.replace(SOFT.recipient.encode(), b"new@remote.example")
    await house.take(moved, house.path(address="new@remote.example"))
    house.clock.tick(days=8)
    await house.take(HARD.raw, late)
    house.clock.tick(days=83)
    await keeper(house).round()
    assert await rows(house, bounce) == {"bounce": 2}


async def test_bounces_of_somebody_of_whom_mail_is_set_aside_stay(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    await house.take(b"From: eve@evil.example\nSubject: hello\n\nI am no bounce\n", house.path())
    house.clock.tick(days=100)
    await keeper(house, replace(KEEP, aside=200 * DAY)).round()
    assert await rows(house, bounce) == {"bounce": 1}
    assert await house.database.read(aside.waiting) == 1


async def test_what_is_set_aside_keeps_its_bounce_though_it_does_not_name_its_user(house: House) -> None:
    """As before the third migration."""
    await house.take(HARD.raw, house.path())
    unnamed = notice.update().values(wiki="", user_id=0, aside="no rule matched")
    await house.database.write(lambda c: c.execute(unnamed))
    house.clock.tick(days=100)
    long = replace(KEEP, aside=200 * DAY)
    await keeper(house, long).round()
    assert await rows(house, bounce) == {"bounce": 1}
    house.clock.tick(days=101)
    await keeper(house, long).round()
    assert await rows(house, bounce, notice) == {}


async def test_a_decision_outlives_the_bounces_that_it_settled(house: House) -> None:
    """Kept for a shorter time than bounces, it would let them count again."""
    await house.fail_for_eight_days(7)
    await pay(house)
    short = replace(KEEP, audit=10 * DAY)
    house.clock.tick(days=30)
    await keeper(house, short).round()
    assert [entry.state for entry in await house.actions()] == [State.DONE]
    house.clock.tick(days=61)
    await keeper(house, short).round()
    assert await rows(house, bounce) == {}
    assert await house.actions() == []


async def test_what_was_taken_back_is_not_offered_again(house: House) -> None:
    await house.fail_for_eight_days(7)
    await pay(house)
    house.clock.tick(days=364)
    await keeper(house).round()  # its bounces are gone
    found = await house.database.read(lambda c: undoable(c, T0))
    await house.database.write(lambda c: undo(c, found, house.clock()))
    house.clock.tick(days=2)
    await keeper(house).round()
    assert len(await house.actions()) == 2  # its fingerprint is needed as long as the restoring waits
    await pay(house)
    house.clock.tick(days=300)
    await keeper(house).round()
    assert [entry.kind for entry in await house.actions()] == ["restore"]
    house.clock.tick(days=66)
    await keeper(house).round()
    assert await house.actions() == []


async def test_what_shadow_mode_decided_goes_like_the_rest(house: House) -> None:
    house.policies["enwiki"] = Policy(Streak(), Mode.SHADOW)
    await house.fail_for_eight_days(7)
    house.clock.tick(days=364)
    await keeper(house).round()
    assert len(await house.actions(State.SHADOW)) == 1
    house.clock.tick(days=2)
    await keeper(house).round()
    assert await house.actions() == []


async def test_brakes_and_what_they_did_go_when_they_hold_nothing(house: House) -> None:
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "", "stop", now, since=now, hold_from=None))
    await house.database.write(lambda c: brakes.release(c, 1, now))
    house.clock.tick(days=366)
    assert await keeper(house).round() == {"brakes": 1, "events": 2}
    assert await rows(house, brake, event) == {}


async def test_a_brake_stays_as_long_as_what_it_held_is_told(house: House) -> None:
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "", "stop", now, since=now, hold_from=None))
    await house.fail_for_eight_days(7)
    await house.database.write(lambda c: brakes.release(c, 1, house.clock()))
    house.clock.tick(days=300)
    await pay(house)
    house.clock.tick(days=100)
    await keeper(house).round()
    assert await rows(house, brake) == {"brake": 1}
    house.clock.tick(days=300)
    await keeper(house).round()
    assert await rows(house, brake) == {}


async def test_numbers_of_failures_stay_as_long_as_the_usual_rate_is_taken_from_them(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=20)
    await keeper(house, replace(KEEP, audit=DAY)).round()
    assert await rows(house, tally) == {"tally": 2}
    house.clock.tick(days=20)
    await keeper(house, replace(KEEP, audit=DAY)).round()
    assert await rows(house, tally) == {}


@pytest.mark.sqlite
async def test_a_digest_tells_of_mail_that_got_the_number_of_one_that_was_dropped(house: House) -> None:
    await house.bounce()
    await house.database.write(lambda c: digests.begin(c, "2026-11-20", 1))
    await house.database.write(lambda c: digests.mark_sent(c, "2026-11-20", T0))
    house.clock.tick(days=91)
    await keeper(house).round()
    await house.take(b"From: eve@evil.example\nSubject: hello\n\nI am no bounce\n", house.path())
    told = await house.database.read(digests.told_through)
    assert [entry.id for entry in await house.database.read(lambda c: aside.entries(c, after=told))] == [1]


async def test_all_of_it_goes_in_one_round_however_small_the_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 4)
    for user_id in range(1, 11):
        await house.bounce(user_id=user_id)
    house.clock.tick(days=91)
    assert await keeper(house).round() == {"mails": 10, "bounces": 10, "notices": 10, **locked(house, 10)}


async def test_a_piece_holds_so_many_rows_or_so_much_mail(house: House) -> None:
    for user_id in range(1, 11):
        await house.bounce(user_id=user_id)
    later = house.clock() + DAY

    async def found(most: int, octets: int) -> int:
        return len(await house.database.read(lambda c: find(c, MAILS, later, most, octets)))

    assert [await found(4, 10**9), await found(99, 10**9), await found(99, 1)] == [4, 10, 1]


async def test_what_is_needed_by_the_time_that_it_would_go_stays(house: House) -> None:
    await house.fail_for_eight_days(7)
    later = house.clock() + DAY
    keys = [(1,), (2,), (3,)]
    assert await house.database.read(lambda c: find(c, BOUNCES, later, 9, 1)) == []  # something is owed
    assert await house.database.write(lambda c: drop(c, BOUNCES, keys, later)) == 0
    await pay(house)
    assert await house.database.write(lambda c: drop(c, BOUNCES, keys, later)) == 3


async def test_a_round_that_fails_does_not_end_the_housekeeping(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "EVERY", 0.001)
    rounds, third = [], asyncio.Event()

    def clock() -> None:
        rounds.append("asked")
        if len(rounds) == 3:
            third.set()
        raise OSError("the clock has stopped")

    running = asyncio.create_task(Upkeep(house.database, KEEP, clock).run())  # type: ignore[arg-type]
    await asyncio.wait_for(third.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

"""What is old goes; what is still needed stays, whatever its age."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.person import Account
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.services.undo import undo
from sidecar.storage import aside, brakes, digests
from sidecar.storage.actions import State
from sidecar.storage.histories import history_of
from sidecar.storage.schema import action_bounce, bounce, brake, event, notice, send, tally
from sidecar.storage.undoing import undoable

from .house import DAY, HARD, SOFT, T0, House
from .housekeeping import KEEP, keeper, kept, locked, pay, rows, sign


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

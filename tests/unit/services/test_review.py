"""Why: the whole story of a user, as of any time, and nothing in it that names an address."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sidecar.domain.history import Standing
from sidecar.domain.person import Account, Together
from sidecar.domain.policy import Mode, Policy, Streak, Window
from sidecar.domain.send import Send
from sidecar.services.review import Review, review
from sidecar.services.undo import undo
from sidecar.storage import brakes, ledger, people, sends
from sidecar.storage.schema import bounce
from sidecar.storage.undoing import undoable

from .house import DAY, HARD, SOFT, T0, House, Mail

WARNING = Policy(Streak(), Mode.ENFORCE, warn=True)
PLAIN = b"From: eve@evil.example\nSubject: hello\n\nI am no bounce\n"


async def why(house: House, at: datetime | None = None, user_id: int = 7) -> Review | None:
    policies, when = house.policies, at or house.clock()
    return await house.database.read(lambda c: review(c, "enwiki", user_id, policies, when))


async def lines(house: House, at: datetime | None = None) -> list[str]:
    found = await why(house, at)
    assert found
    return [f"{line.what} -> {line.means}" if line.means else line.what for line in found.lines]


async def outlook(house: House, at: datetime | None = None) -> str:
    found = await why(house, at)
    assert found
    return found.outlook


async def sign(house: House, address: str = HARD.recipient) -> None:
    """A mail that does not come back."""
    token = house.verp.recognise(house.path(address=address), house.clock())
    mail = Send(token.wiki, token.user_id, token.sent, token.tag, token.key_id)
    await house.database.write(lambda c: sends.note(c, [mail]))


async def pay(house: House) -> None:
    while await house.dispatcher.step():
        pass


async def brake(house: House) -> None:
    now = house.clock()
    await house.database.write(
        lambda c: brakes.trip(c, "", "", "the provider moves", now, since=now, hold_from=None)
    )


async def test_of_whom_nothing_is_known_there_is_no_story(house: House) -> None:
    await house.bounce(user_id=8)
    assert await why(house) is None


async def counting(house: House) -> None:
    await house.bounce()


async def soft(house: House) -> None:
    await house.bounce(SOFT)


async def arrived(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    await sign(house)
    house.clock.tick(days=3)


async def pending(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    await sign(house)


async def moved(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    await sign(house, "new@remote.example")


async def forgotten(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=61)
    await house.bounce()


async def outside(house: House) -> None:
    house.policies["enwiki"] = Policy(Window(5, 7 * DAY), Mode.ENFORCE)
    await house.bounce()
    house.clock.tick(days=8)
    await house.bounce()


async def pardoned(house: House) -> None:
    await brake(house)
    await house.bounce()
    await house.database.write(lambda c: brakes.discard(c, 1, house.clock()))


async def settled(house: House) -> None:
    await house.fail_for_eight_days(7)
    await pay(house)


async def another_category(house: House) -> None:
    await house.bounce()
    house.policies["enwiki"] = replace(house.policies["enwiki"], categories=frozenset())


async def confirming(house: House) -> None:
    path = house.verp.issue("enwiki", 7, HARD.recipient, house.clock(), confirming=True)
    await house.take(HARD.raw, path)


async def too_soon(house: House) -> None:
    await arrived(house)
    await house.bounce()


async def forwarded(house: House) -> None:
    await house.bounce(Mail(HARD.raw, "list@example.com"))


async def future(house: House) -> None:
    await house.bounce()
    ahead = bounce.update().values(sent=house.clock() + DAY)
    await house.database.write(lambda c: c.execute(ahead))


async def untried(house: House) -> None:
    house.policies["dewiki"] = replace(house.policies["dewiki"], mode=Mode.SHADOW)
    one = Together(Account("enwiki", 7), frozenset({Account("enwiki", 7), Account("dewiki", 8)}))
    await house.database.write(lambda c: people.answered(c, one, house.clock()))
    await house.bounce(wiki="dewiki", user_id=8)


STORIES = {
    Standing.UNTRIED: untried,
    Standing.CONFIRMING: confirming,
    Standing.TOO_SOON: too_soon,
    Standing.COUNTS: counting,
    Standing.FORWARDED: forwarded,
    Standing.FUTURE: future,
    Standing.ARRIVED: arrived,
    Standing.PENDING: pending,
    Standing.SOFT: soft,
    Standing.OTHER_CATEGORY: another_category,
    Standing.PARDONED: pardoned,
    Standing.OTHER_ADDRESS: moved,
    Standing.BEFORE_PROOF: arrived,
    Standing.FORGOTTEN: forgotten,
    Standing.OUTSIDE: outside,
    Standing.SETTLED: settled,
}


@pytest.mark.parametrize("standing", Standing)
async def test_every_mail_is_told_with_what_it_means(house: House, standing: Standing) -> None:
    await STORIES[standing](house)
    found = await why(house)
    assert found
    assert str(standing) in [line.means for line in found.lines]


async def test_a_bounce_is_told_with_the_rule_and_the_words_that_judged_it(house: House) -> None:
    await house.bounce()
    [line] = await lines(house)
    assert line == (
        "mail was sent and came back on 2026-11-20 10:00: user-unknown, hard (5.1.1) at remote.example; "
        f'rule user-unknown on the words "{await words(house)}"; bounce 1 -> counts'
    )


async def words(house: House) -> str:
    [bounce] = await house.database.read(lambda c: ledger.of_user(c, "enwiki", 7))
    assert bounce.words
    return bounce.words


async def test_what_was_decided_names_the_thresholds_that_were_in_force_then(house: House) -> None:
    await house.fail_for_eight_days(7)
    house.policies["enwiki"] = Policy(Streak(hard_bounces=9, span=30 * DAY), Mode.ENFORCE)
    told = await lines(house)
    assert "in force: 3 hard bounces, the oldest at least 7 days old" in told[-1]
    found = await why(house)
    assert found
    assert found.policy == "9 hard bounces, the oldest at least 30 days old"


async def test_it_is_told_as_it_was_known_then(house: House) -> None:
    await house.fail_for_eight_days(7)
    before = house.clock() - timedelta(hours=1)
    house.clock.tick(hours=1)
    await pay(house)
    assert await outlook(house, before) == "not enough to act: 2 of 3 hard bounces"
    assert len(await lines(house, before)) == 2
    assert await outlook(house, house.clock() - timedelta(minutes=30)) == "action 1 (unconfirm) is waiting"
    assert await outlook(house) == "nothing counts against this address"
    assert await why(house, T0 - DAY) is None


async def test_what_a_brake_holds_says_why(house: House) -> None:
    await brake(house)
    await house.fail_for_eight_days(7)
    assert (await lines(house))[-1].endswith("; held by a brake: the provider moves")
    assert await outlook(house) == "action 1 (unconfirm) is held"


async def test_what_was_taken_back_is_told(house: House) -> None:
    await settled(house)
    found = await house.database.read(lambda c: undoable(c, T0))
    house.clock.tick(minutes=5)
    await house.database.write(lambda c: undo(c, found, house.clock()))
    await pay(house)
    told = "\n".join(await lines(house))
    assert "takes action 1 back" in told
    assert "action 2: done: restored" in told


async def test_what_nobody_understood_is_told_and_never_counts(house: House) -> None:
    await house.take(PLAIN, house.path())
    [line] = await lines(house)
    assert line == (
        "notice 1 came: ordinary, set aside: neither a bounce nor an automatic answer -> never counts"
    )


async def test_who_was_left_alone_is_told_with_the_group(house: House) -> None:
    house.wiki.groups[7] = {"sysop"}
    await settled(house)
    assert "action 1: done: protected: left alone, as a member of sysop" in await lines(house)
    assert house.counted("actions_total", result="protected") == 1
    assert house.wiki.confirmed[7]


async def test_after_a_warning_it_is_told_what_would_follow(house: House) -> None:
    house.policies["enwiki"] = WARNING
    await settled(house)
    assert (
        await outlook(house) == "warned; un-confirmed if a mail that is sent after 2026-12-01 10:00 fails too"
    )


async def test_in_shadow_mode_it_is_said_that_nothing_will_be_done(house: House) -> None:
    house.policies["enwiki"] = Policy(Streak(), Mode.SHADOW)
    await house.fail_for_eight_days(7)
    assert await outlook(house) == "enough to act at the next failure (shadow mode)"


async def test_no_address_and_no_words_of_a_mail_are_in_it(house: House) -> None:
    await house.take(PLAIN, house.path())
    await settled(house)
    told = repr(await why(house))
    assert "@" not in told
    assert "evil" not in told
    assert "hello" not in told

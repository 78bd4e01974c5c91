"""Canaries: one of several nodes sends the next, each counts once, and none is mistaken for a bounce."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
import structlog

from sidecar.domain.canary import CANARY
from sidecar.domain.notice import Kind, read
from sidecar.domain.verp import BounceHandlerFormat, Keyring, SidecarFormat, Verp
from sidecar.domain.vitals import CanaryRound
from sidecar.services.receipt import Receipt
from sidecar.storage import canaries
from sidecar.storage.database import Database

from .flock import Flock, Post, look, rounds
from .house import DAY, T0, House


async def test_it_leaves_comes_back_and_is_no_notice(house: House, post: Post, flock: Flock) -> None:
    assert await flock().round()
    house.clock.tick(seconds=3)
    assert await post.deliver(house) is Receipt.TAKEN
    found = await look(house)
    assert found.canaries == (CanaryRound(T0, T0 + timedelta(seconds=3)),)
    assert (found.noticed, found.bounced, found.signed_lately, found.aside) == (None, None, 0, 0)
    assert house.watch.watched.numbers == {}
    assert house.counted("canary_rounds_total", result="returned") == 1
    assert house.counted("canary_seconds") == 3
    assert house.counted("return_paths_total", result="issued") == 0
    for name in ("notice", "bounce", "action", "send"):
        counted = sa.text(f"SELECT count(*) FROM {name}")
        assert await house.database.read(lambda c, q=counted: c.execute(q).scalar()) == 0  # type: ignore[misc]


async def test_it_is_a_bounce_like_any_other_on_its_way(house: House, post: Post, flock: Flock) -> None:
    await flock("mx1 \u2603\r\nBcc: x@y.example").round()
    [(recipient, raw)] = post.mails
    notice = read(raw)
    assert notice.kind is Kind.BOUNCE
    assert [(one.address, one.status) for one in notice.reports] == [("canary@canary.invalid", "5.1.1")]
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert b"\r\nAuto-Submitted: auto-replied\r\n" in raw
    assert f"\r\nTo: {recipient}\r\n".encode() in raw
    assert b"\r\nBcc:" not in raw
    assert raw.isascii()


async def test_the_next_one_waits_for_its_time(house: House, flock: Flock) -> None:
    mine = flock()
    assert await mine.round()
    house.clock.tick(minutes=14, seconds=59)
    assert not await mine.round()
    house.clock.tick(seconds=1)
    assert await mine.round()
    assert await flock().round() is False, "a restart changes nothing"


async def test_of_two_nodes_at_once_one_sends_it(house: House, post: Post, flock: Flock, url: str) -> None:
    other = house.database if url.startswith("sqlite") else Database(url)  # SQLite has one node
    both = flock("mx1"), flock("mx2", database=other)
    for _ in range(3):
        left = await asyncio.gather(*(one.round() for one in both))
        assert sorted(left) == [False, True]
        house.clock.tick(minutes=15)
    if other is not house.database:
        await other.close()
    assert len(post.mails) == 3


async def test_a_clock_that_jumped_back_keeps_nobody_waiting(house: House, flock: Flock) -> None:
    assert await flock().round()
    house.clock.tick(seconds=-30)
    assert not await flock("mx2").round(), "that may be another node's clock"
    house.clock.tick(days=-1)
    assert await flock("mx2").round()


async def test_one_counts_once_whoever_sends_it_again(house: House, post: Post, flock: Flock) -> None:
    await flock().round()
    [(recipient, raw)] = post.mails
    assert await house.take(raw, recipient.upper()) is Receipt.TAKEN
    house.clock.tick(minutes=1)
    assert await house.take(raw, recipient) is Receipt.DUPLICATE
    assert await house.take(b"Subject: spam\n\n", recipient) is Receipt.DUPLICATE
    assert (await rounds(house))[0].returned == T0
    assert house.counted("canary_rounds_total", result="returned") == 1


async def test_two_that_deliver_the_same_one_at_once_count_it_once(
    house: House, post: Post, flock: Flock
) -> None:
    await flock().round()
    [(recipient, raw)] = post.mails
    got = await asyncio.gather(*(house.take(raw, recipient) for _ in range(5)))
    assert sorted(got) == [Receipt.DUPLICATE] * 4 + [Receipt.TAKEN]


async def test_forged_and_old_ones_are_refused_like_all_others(
    house: House, post: Post, flock: Flock
) -> None:
    await flock().round()
    [(recipient, raw)] = post.mails
    others = House.signer("enwiki", key=b"x" * 32).issue(*CANARY, "mx1", house.clock())
    assert await house.take(raw, others) is Receipt.FORGED
    user = house.paths.issue("enwiki", 7, "mx1")
    assert await house.take(raw, user.replace("wiki-enwiki-7-", "wiki-canary-0-")) is Receipt.FORGED
    assert await house.take(raw, recipient.replace("wiki-canary-0-", "wiki-enwiki-0-")) is Receipt.FORGED
    house.clock.tick(days=10, seconds=1)
    assert house.intake.refusal(recipient) is Receipt.TOO_LATE
    assert await house.take(raw, recipient) is Receipt.TOO_LATE


def test_its_return_path_is_nobodys_in_each_format_and_needs_no_wiki() -> None:
    ours = SidecarFormat("wiki", "bounces.example.org", Keyring((b"k" * 32,)))
    theirs = BounceHandlerFormat("wiki", "bounces.example.org", b"s" * 32)
    for form in (ours, theirs):
        for wikis in ((), ("enwiki", "canary"), ("Canary",)):
            verp = Verp((form,), wikis, accept=10 * DAY)
            path = verp.issue(*CANARY, "mx1", T0)
            assert path.startswith("wiki-canary-0-")
            for spelled in (path, path.upper(), path.lower()):
                token = verp.recognise(spelled, T0)
                assert ((token.wiki, token.user_id), token.sent) == (CANARY, T0)


async def test_a_key_that_signs_from_now_on_signs_the_next_one(
    house: House, post: Post, flock: Flock
) -> None:
    mine = flock()
    await mine.round()
    keys = Keyring((b"n" * 32, b"k" * 32))
    house.paths.use(Verp((SidecarFormat("wiki", "bounces.example.org", keys),), [], accept=10 * DAY))
    house.clock.tick(minutes=15)
    await mine.round()
    keys_used = {house.paths.recognise(recipient).key_id for recipient, _ in post.mails}
    assert len(keys_used) == 2


async def test_a_second_by_hand_waits_its_turn(house: House) -> None:
    def enter(connection: sa.Connection) -> int | None:
        return canaries.enter(connection, "mx1", "wiki-canary-0-a-b", T0)

    number = await house.database.write(enter)
    assert number
    assert await house.database.write(enter) is None
    await house.database.write(lambda c: canaries.settle(c, number, "e" * 600))
    found = await house.database.read(lambda c: canaries.look(c, number))
    assert found == replace(CanaryRound(T0), error="e" * 500)


async def test_stopped_it_ends_and_a_round_that_fails_does_not_end_it(house: House, flock: Flock) -> None:
    tries = []

    def fail(recipient: str, raw: bytes) -> None:
        tries.append(recipient)
        mine.stop()
        raise RuntimeError("our mistake")

    mine = flock(hand_over=fail)
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(20):
            await mine.run()
    assert len(tries) == 1
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["canary failed"]

"""Canaries that do not come back: who is told, when, and who is not."""

from datetime import timedelta

import pytest
import structlog

from sidecar.domain.trouble import Tolerance, troubles
from sidecar.domain.vitals import NodeSign
from sidecar.services.receipt import Receipt
from sidecar.storage import nodes

from .flock import TIMES, Flock, Post, look, rounds
from .house import DAY, T0, House

BORNE = Tolerance(canary=TIMES.patience, slow=TIMES.slow, canary_every=TIMES.every)


async def lives(house: House, started: timedelta = 30 * DAY) -> None:
    """A node that takes bounces is seen now."""
    sign = NodeSign("mx1", "take", "1", T0 - started, house.clock())
    await house.database.write(lambda c: nodes.put(c, sign))


async def told(house: House) -> list[str]:
    return [one.what for one in troubles(await look(house), BORNE)]


async def test_what_does_not_leave_is_told_at_once_and_tried_again_a_minute_later(
    house: House, post: Post, flock: Flock
) -> None:
    post.refuses = "127.0.0.1:25: 550 5.1.1 No such user here"
    mine = flock()
    await lives(house)
    with structlog.testing.capture_logs() as lines:
        assert not await mine.round()
        house.clock.tick(seconds=59)
        assert not await mine.round()
    [line] = lines
    assert (line["event"], line["why"]) == ("canary not sent", post.refuses)
    assert await told(house) == [
        f"A canary was sent at 2026-11-20 10:00 UTC, and it did not even leave: {post.refuses}"
    ]
    post.refuses = ""
    house.clock.tick(seconds=1)
    assert await mine.round()
    assert await post.deliver(house) is Receipt.TAKEN
    assert await told(house) == []
    assert house.counted("canary_rounds_total", result="failed") == 1


async def test_killed_while_it_is_handed_over_nobody_is_alarmed_and_the_next_comes_soon(
    house: House, post: Post, flock: Flock
) -> None:
    def die(recipient: str, raw: bytes) -> None:
        post(recipient, raw)
        raise SystemError("killed")

    with pytest.raises(SystemError):
        await flock(hand_over=die).round()
    await lives(house, started=timedelta(0))
    assert await told(house) == []
    house.clock.tick(minutes=3, seconds=59)
    assert not await flock().round()
    house.clock.tick(seconds=1)
    assert await flock().round()
    for _ in range(2):
        assert await post.deliver(house) is Receipt.TAKEN, "the first had left after all"
    assert len(await rounds(house)) == 2


async def test_a_lost_one_is_told_once_and_a_late_one_too(house: House, post: Post, flock: Flock) -> None:
    mine = flock()
    await mine.round()
    with structlog.testing.capture_logs() as lines:
        house.clock.tick(minutes=10)
        await mine.round()
        assert lines == []
        house.clock.tick(seconds=1)
        await lives(house)
        assert len(await told(house)) == 1
        for _ in range(2):
            await mine.round()
        house.clock.tick(minutes=5)
        await mine.round()
        house.clock.tick(minutes=3)
        assert await post.deliver(house) is Receipt.TAKEN
        assert len(await told(house)) == 1, "that the lost one is back says nothing of the next"
        assert await post.deliver(house) is Receipt.TAKEN
        for _ in range(2):
            await mine.round()
    assert [(line["event"], line.get("seconds")) for line in lines] == [
        ("canary lost", None),
        ("canary late", 180.0),
    ]
    await lives(house)
    assert await told(house) == ["The last canary needed 180 s"]
    assert house.counted("canary_rounds_total", result="lost") == 1


async def test_a_stop_of_any_length_is_no_false_alarm(house: House, post: Post, flock: Flock) -> None:
    await flock().round()
    house.clock.tick(days=3)
    await lives(house, started=-3 * DAY)
    assert await told(house) == []
    with structlog.testing.capture_logs() as lines:
        assert await flock().round()
        post.mails.pop(0)
        assert await post.deliver(house) is Receipt.TAKEN
        house.clock.tick(minutes=12)
        await flock().round()
    assert lines == []
    await lives(house, started=-3 * DAY)
    assert await told(house) == []

"""The pulse of a node: it lives, what it has signed, and that it ends in good order."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from sidecar.domain.send import Send
from sidecar.domain.vitals import NodeSign
from sidecar.services.pulse import Myself, Pulse
from sidecar.services.vitals import HostSigns
from sidecar.storage import nodes
from sidecar.storage.database import Database
from sidecar.storage.rates import Count, What
from tests.support.sums_of_days import per_day

from .house import DAY, T0, House


def pulse(house: House, name: str = "mx1", database: Database | None = None) -> Pulse:
    host = HostSigns(house.clock, lambda: 2**40, lambda: False, name)
    myself = Myself(name, "issue, take, act", "0.1.0")
    return Pulse(database or house.database, myself, host, house.watch.watched)


async def seen(house: House) -> tuple[NodeSign, ...]:
    return await house.database.read(nodes.seen)


async def signed(house: House) -> list[Count]:
    days = (T0 - DAY).date(), (T0 + DAY).date()
    return await house.database.read(lambda c: per_day(c, What.SIGNED, *days))


async def test_a_beat_says_all_that_is_known_of_the_node(house: House) -> None:
    node = pulse(house)
    house.clock.tick(seconds=15)
    await node.beat()
    sign = NodeSign("mx1", "issue, take, act", "0.1.0", T0, house.clock(), None, None, False, 2**40)
    assert await seen(house) == (sign,)
    house.path()
    house.clock.tick(seconds=15)
    await node.beat()
    assert await seen(house) == (
        replace(sign, seen=house.clock(), signed=house.clock() - timedelta(seconds=15)),
    )


async def test_what_was_signed_is_added_once_by_wiki_and_day_whoever_is_watched(house: House) -> None:
    node = pulse(house)
    for user in (7, 8):
        house.path(user)
    house.path(wiki="dewiki")
    house.clock.tick(hours=14)  # another day, in UTC
    house.path()
    house.watch.watched.signed_elsewhere(Send("enwiki", 9, T0, "a1b2c3", "k"))
    for _ in range(2):
        await node.beat()
    today, tomorrow = T0.date(), (T0 + DAY).date()
    assert await signed(house) == [
        Count(today, "dewiki", "mx1", False, 1),
        Count(today, "enwiki", "mx1", False, 3),
        Count(tomorrow, "enwiki", "mx1", False, 1),
    ]
    assert house.watch.watched.numbers == {}


async def test_what_cannot_be_written_is_kept_for_the_next_beat(house: House, url: str) -> None:
    lost = Database("sqlite:////nowhere/history.db", metrics=house.metrics)
    house.path()
    with pytest.raises(Exception, match="unable to open"):
        await pulse(house, database=lost).beat()
    house.path()
    await lost.close()
    await pulse(house).beat()
    assert [one.number for one in await signed(house)] == [2]


async def test_mail_that_is_signed_during_a_beat_belongs_to_the_next(house: House) -> None:
    house.path()
    beating = asyncio.create_task(pulse(house).beat())
    await asyncio.sleep(0)  # it has begun, and waits for the database
    house.path()
    await beating
    assert [one.number for one in await signed(house)] == [1]
    await pulse(house).beat()
    assert [one.number for one in await signed(house)] == [2]


async def test_who_ends_in_good_order_says_so_and_who_starts_again_lives(house: House) -> None:
    node = pulse(house)
    node.stop()
    await node.run()
    [sign] = await seen(house)
    assert sign.stopped == T0
    await pulse(house).beat()
    [sign] = await seen(house)
    assert sign.stopped is None


async def test_who_was_not_seen_for_a_week_is_forgotten_by_the_others(house: House) -> None:
    await pulse(house, "mx1").beat()
    house.clock.tick(days=7)
    await pulse(house, "mx2").beat()
    assert [sign.name for sign in await seen(house)] == ["mx1", "mx2"]
    house.clock.tick(seconds=1)
    await pulse(house, "mx2").beat()
    assert [sign.name for sign in await seen(house)] == ["mx2"]


async def test_a_beat_that_fails_is_told_and_does_not_end_it(house: House) -> None:
    lost = Database("sqlite:////nowhere/history.db", metrics=house.metrics, logs_trouble=True)
    node = pulse(house, database=lost)
    with structlog.testing.capture_logs() as lines:
        running = asyncio.create_task(node.run())
        async with asyncio.timeout(20):
            while not [line for line in lines if "trouble" in line["event"]]:
                await asyncio.sleep(0.01)
            node.stop()
            await running
    await lost.close()


async def test_every_mail_is_counted_by_wiki_and_day_also_of_who_is_not_watched(house: House) -> None:
    watched = house.watch.watched
    assert (watched.numbers, watched.last) == ({}, None)
    for user, wiki in ((7, "enwiki"), (8, "enwiki"), (7, "dewiki")):
        house.path(user, wiki=wiki)
    house.clock.tick(days=1)
    house.path()
    watched.signed_elsewhere(Send("enwiki", 9, T0, "a1b2c3", "k"))
    days = T0.date(), (T0 + DAY).date()
    assert watched.numbers == {("enwiki", days[0]): 3, ("dewiki", days[0]): 1, ("enwiki", days[1]): 1}
    assert watched.last == T0 + DAY, "what another node tells late is no later mail"

"""How long the HTTP door waits, and for how many: limits, slow and rude peers."""

import asyncio
import contextlib

import pytest

from sidecar.edges.http_listener import HttpLimits
from tests.integration.doors import PATIENCE, eventually
from tests.integration.http_house import PATH, TOKEN
from tests.integration.http_talk import HEADER, Talk


async def test_a_connection_serves_many_requests(serve_http, talk_to, intake):
    talk = await talk_to(await serve_http())
    for _ in range(3):
        talk.say(HEADER + "Content-Length: 4\r\n\r\nmail")
        assert (await talk.hear())[0] == 200
    assert len(intake.finished) == 3


@pytest.mark.parametrize("said", ["", "GET /hea", "POST /bounces HTTP/1.1\r\nX: "])
async def test_a_peer_that_sends_no_header_is_hung_up_on(serve_http, talk_to, said):
    talk = await talk_to(await serve_http(server_limits=HttpLimits(idle=0.05)))
    assert await talk.say(said).gone() == b""


@pytest.mark.slow
async def test_a_peer_that_asks_on_and_on_and_reads_nothing_is_hung_up_on(serve_http, talk_to):
    house = await serve_http(server_limits=HttpLimits(idle=0.2))
    talk = await talk_to(house)
    talk.writer.transport.pause_reading()
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            while house.server._listener._connections or not talk.writer.is_closing():
                talk.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
                await talk.writer.drain()
    assert not house.server._listener._connections


async def test_a_peer_that_sends_half_a_body_is_told_and_books_nothing(serve_http, talk_to, intake):
    talk = await talk_to(await serve_http(server_limits=HttpLimits(idle=0.5, body=0.05)))
    talk.say(HEADER + "Content-Length: 1000\r\n\r\nhalf")
    assert (await talk.hear())[0] == 408
    await talk.gone()
    assert intake.asked == []


async def test_a_body_that_drips_is_not_waited_for_as_long_as_one_that_comes(serve_http, talk_to, intake):
    """A hundred of them would fill the door for two minutes."""
    house = await serve_http(server_limits=HttpLimits(begin=0.3, rate=10_000))
    dripping, coming = await talk_to(house), await talk_to(house)
    loop = asyncio.get_running_loop()
    for talk in (dripping, coming):
        talk.say(HEADER + "Content-Length: 12000\r\n\r\n")
    began, left = loop.time(), 12_000

    async def comes():
        nonlocal left
        while left:
            coming.say("y" * 1000)
            left -= 1000
            await asyncio.sleep(0.05)

    sending = asyncio.create_task(comes())
    while not dripping.reader.at_eof() and loop.time() - began < PATIENCE:
        dripping.say("x")
        if await _heard(dripping):
            break
    assert (await dripping.hear())[0] == 408
    assert left, "the other one was still sending"
    await sending
    assert (await coming.hear())[0] == 200
    assert [len(one.raw) for one in intake.finished] == [12_000]


async def _heard(talk: Talk) -> bool:
    """Whether an answer has begun, after a moment."""
    await asyncio.sleep(0.02)
    return bool(talk.reader._buffer)


async def test_of_many_bodies_the_slowest_makes_room(serve_http, talk_to, intake):
    house = await serve_http(server_limits=HttpLimits(connections=3, spare=0.0))
    listener = house.server._listener
    talks = [await talk_to(house) for _ in range(3)]
    quick, slow, slower = (one.say(HEADER + "Content-Length: 5000\r\n\r\n") for one in talks)
    await eventually(lambda: len(listener._bodies) == 3, "all bodies are being read")
    for talk, octets in ((quick, 4000), (slow, 400), (slower, 4)):
        talk.say("x" * octets)
    await eventually(
        lambda: sorted(one.reading[1] for one in listener._connections.values()) == [4, 400, 4000], "are here"
    )
    for gone in (slower, slow):
        asking = await talk_to(house)
        assert (await asking.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").hear())[0] == 200
        assert await gone.gone() == b""
        asking.say(HEADER + "Content-Length: 5000\r\n\r\n" + "x" * 4500)
        await eventually(lambda: len(listener._bodies) == 3, "its body is being read")
    assert (await quick.say("x" * 1000).hear())[0] == 200


@pytest.mark.parametrize(
    "body", ["Content-Length: 1000\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
)
async def test_half_a_body_is_no_mail(serve_http, talk_to, intake, body):
    house = await serve_http()
    talk = await talk_to(house)
    talk.say(HEADER + body)
    await eventually(lambda: house.server._listener._bodies, "the body is being read")
    talk.writer.close()
    await eventually(lambda: not house.server._listener._requests, "the request is over")
    assert intake.asked == []


async def test_a_damaged_body_is_no_mail(serve_http, talk_to, intake):
    talk = await talk_to(await serve_http())
    talk.say(HEADER + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n")
    assert b" 400 " in (await talk.gone()).split(b"\r\n")[0]
    assert intake.asked == []


async def test_who_says_nothing_makes_room_for_who_does(serve_http, talk_to):
    house = await serve_http(server_limits=HttpLimits(connections=3, spare=0.0))
    silent = [await talk_to(house) for _ in range(3)]
    working = silent[0].say(HEADER + "Content-Length: 4\r\n\r\n")
    listener = house.server._listener
    await eventually(lambda: listener._bodies, "a request is at work")
    for _ in range(2):
        asking = await talk_to(house)
        assert (await asking.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").hear())[0] == 200
    assert [await one.gone() for one in silent[1:]] == [b"", b""]
    assert (await working.say("mail").hear())[0] == 200
    assert len(listener._connections) == 3


async def test_connections_over_the_limit_are_told_to_come_again(serve_http, talk_to):
    house = await serve_http(server_limits=HttpLimits(connections=1))
    first, second = await talk_to(house), await talk_to(house)
    status, body = await second.hear()
    assert (status, "Too many connections" in body["words"]) == (503, True)
    assert await second.gone() == b""
    assert (await first.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").hear())[0] == 200
    first.writer.close()
    await eventually(lambda: not house.server._listener._connections, "there is room again")
    third = await talk_to(house)
    assert (await third.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").hear())[0] == 200


@pytest.mark.slow
async def test_a_peer_that_waits_for_the_intake_is_not_idle(serve_http, talk_to, intake):
    house = await serve_http(server_limits=HttpLimits(idle=0.3))
    intake.open[PATH]
    waiting, idle = await talk_to(house), await talk_to(house)
    waiting.say(HEADER + "Content-Length: 4\r\n\r\nmail")
    assert await idle.gone() == b""
    intake.open[PATH].set()
    assert (await waiting.hear())[0] == 200


@pytest.mark.parametrize("said", ["MAIL FROM:<eve@x.example>\r\n", "GET / HTTP/1.1\r\neve@x.example\r\n\r\n"])
async def test_what_is_no_http_is_refused_and_told_to_nobody(serve_http, talk_to, caplog, said):
    caplog.set_level("DEBUG")
    talk = await talk_to(await serve_http())
    heard = await talk.say(said + "\r\n").gone()
    assert b" 400 " in heard.split(b"\r\n")[0]
    assert [record for record in caplog.records if record.name != "asyncio"] == []


async def test_what_will_be_too_big_is_not_waited_for(serve_http, talk_to):
    house = await serve_http(size=10_000)
    announced = await talk_to(house)
    assert (await announced.say(HEADER + "Content-Length: 100000\r\n\r\n").hear())[0] == 413
    endless = await talk_to(house)
    endless.say(HEADER + "Transfer-Encoding: chunked\r\n\r\n").say("1000\r\n" + "x" * 4096 + "\r\n")
    for _ in range(3):
        endless.say("1000\r\n" + "x" * 4096 + "\r\n")
    assert (await endless.hear())[0] == 413


async def test_a_client_that_asks_first_is_told_to_go_on(serve_http, talk_to, intake):
    talk = await talk_to(await serve_http())
    talk.say(HEADER + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        assert await talk.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await talk.say("mail").hear())[0] == 200
    assert intake.finished[0].raw == b"mail"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("Expect: 100-continue\r\nContent-Length: 10000000\r\n", 413),
        ("Expect: 100-continue\r\nContent-Length: 4\r\n", 401),
        ("Expect: money\r\nContent-Length: 4\r\n", 417),
    ],
)
async def test_a_client_that_asks_first_need_not_send_what_is_refused(serve_http, talk_to, fields, status):
    header = HEADER if status != 401 else HEADER.replace(TOKEN, "wrong")
    assert (await (await talk_to(await serve_http())).say(header + fields + "\r\n").hear())[0] == status

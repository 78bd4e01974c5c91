"""The HTTP door from its port to its end: what it says of how it is, and how it closes."""

import asyncio

import pytest

from sidecar.edges.unix_socket import CannotListen
from tests.integration.doors import PATIENCE, eventually
from tests.integration.http_house import PATH
from tests.integration.http_talk import HEADER


async def test_closing_lets_what_is_at_work_finish_and_sends_the_others_away(serve_http, talk_to, intake):
    house = await serve_http()
    intake.open[PATH]
    idle, half, pending = [await talk_to(house) for _ in range(3)]
    half.say(HEADER + "Content-Length: 1000\r\n\r\nhalf")
    pending.say(HEADER + "Content-Length: 4\r\n\r\nmail")
    await eventually(lambda: intake.asked and house.server._listener._bodies, "the intake is at work")
    closing = asyncio.create_task(house.server.close(grace=PATIENCE))
    assert (await half.hear())[0] == 503
    with pytest.raises(OSError):
        await talk_to(house)
    assert await idle.gone() == b""
    assert not closing.done()
    intake.open[PATH].set()
    assert (await pending.hear())[0] == 200
    await closing


async def test_closing_waits_for_a_booking_for_which_nobody_waits(serve_http, talk_to, intake):
    house = await serve_http(patience=0.05)
    intake.open[PATH]
    talk = (await talk_to(house)).say(HEADER + "Content-Length: 4\r\n\r\nmail")
    assert (await talk.hear())[0] == 503
    talk.writer.close()
    await eventually(lambda: not house.server._listener._connections, "the client is gone")
    closing = asyncio.create_task(house.server.close(grace=PATIENCE))
    done, _ = await asyncio.wait({closing}, timeout=0.2)
    assert not done
    intake.open[PATH].set()
    await closing
    assert intake.finished


async def test_closing_ends_when_grace_ends_and_cancels_no_work(serve_http, talk_to, intake):
    house = await serve_http()
    intake.open[PATH]
    talk = (await talk_to(house)).say(HEADER + "Content-Length: 4\r\n\r\nmail")
    await eventually(lambda: intake.asked, "the intake is at work")
    await house.server.close(grace=0.05)
    assert await talk.gone() == b""
    intake.open[PATH].set()
    await eventually(lambda: intake.finished, "the work is finished")
    await house.server.close()


async def test_a_port_that_is_taken_is_named(serve_http):
    house = await serve_http()
    with pytest.raises(CannotListen, match=f"127.0.0.1 port {house.port}: .*[Aa]ddress already in use"):
        await (await serve_http()).server.listen("127.0.0.1", house.port)


async def test_everybody_may_ask_whether_it_lives_and_is_ready(serve_http):
    house = await serve_http(allow=("192.0.2.1/32",))
    for path, words in (("/healthz", "Alive"), ("/readyz", "Ready")):
        said = await house.ask(path, method="GET")
        assert (said.status, said.body) == (200, {"words": words})
        assert (await house.ask(path, method="HEAD")).status == 200


async def test_it_says_why_it_is_not_ready(serve_http):
    said = await (await serve_http(why_not="The disk is gone")).ask("/readyz", method="GET")
    assert (said.status, said.body) == (503, {"words": "The disk is gone"})

"""All places of a door are taken by peers that never finish: whoever really asks is served all the same."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sidecar.edges.few_lines import TOLD
from sidecar.edges.http_listener import HttpLimits
from sidecar.edges.query_socket import Limits
from sidecar.edges.replies import REPLIES, TOO_MANY_CONNECTIONS, TOO_MANY_SESSIONS
from sidecar.edges.room import idlest, slowest
from sidecar.edges.socketmap import netstring
from sidecar.edges.verp_socket import VerpSocket
from sidecar.services.receipt import Receipt
from tests.integration.doors import PATIENCE, Client, eventually
from tests.integration.http_house import PATH, TOKEN
from tests.integration.return_paths import ScriptedReturnPaths

PLACES = 3
AT_ONCE = -1.0  # seconds: whoever came at the same tick of the clock is not spared either
ROUNDS = 3  # times that the idlers come back


@pytest.mark.parametrize("said", [b"", b"2", b"20:bounce", netstring("bounce wiki-x@b.example")])
async def test_the_wiki_is_answered_though_idlers_hold_every_place(tmp_path: Path, said: bytes) -> None:
    path = tmp_path / "verp.sock"
    server = VerpSocket(ScriptedReturnPaths(), limits=Limits(connections=PLACES, spare=AT_ONCE))
    await server.listen(path)
    for _ in range(ROUNDS):
        idlers = [await asyncio.open_unix_connection(path) for _ in range(PLACES)]
        for _, idler in idlers:
            idler.write(said)
        await eventually(lambda: len(server.connections) == PLACES, "every place is taken")
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(netstring("bounce wiki-x@b.example"))
        async with asyncio.timeout(PATIENCE):
            assert await reader.readexactly(21) == netstring("OK testwiki 12345")
        assert len(server.connections) == PLACES
        for _, idler in [*idlers, (reader, writer)]:
            idler.close()
    await server.close()


@pytest.mark.parametrize(
    "said", [[], ["LHLO x"], ["LHLO x", "MAIL FROM:<>", "RCPT TO:<one@b>", "DATA", "half"]]
)
async def test_mail_is_taken_though_idlers_hold_every_session(serve_lmtp, connect_lmtp, said) -> None:
    server = await serve_lmtp(sessions=PLACES, spare=AT_ONCE)
    idlers = [await connect_lmtp() for _ in range(PLACES)]
    for idler in idlers:
        idler.say(*said)
    await eventually(lambda: len(server._sessions) == PLACES, "every session is taken")
    client: Client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b")
    assert await client.hear() == [REPLIES[Receipt.TAKEN].lmtp]
    assert len(server._sessions) == PLACES
    waiting = [asyncio.create_task(idler.rest()) for idler in idlers]
    (gone,), others = await asyncio.wait(waiting, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    assert gone.result()[-1] == TOO_MANY_SESSIONS
    for other in others:
        other.cancel()


async def test_a_session_whose_mail_is_being_taken_keeps_its_place(serve_lmtp, connect_lmtp, intake) -> None:
    await serve_lmtp(sessions=1, spare=AT_ONCE)
    intake.open["slow@b"].clear()
    client = await (await connect_lmtp()).hello()
    await client.hand_in("slow@b")
    await eventually(lambda: intake.asked, "the intake has it")
    assert await (await connect_lmtp()).rest() == [TOO_MANY_SESSIONS]
    intake.open["slow@b"].set()
    assert await client.hear() == [REPLIES[Receipt.TAKEN].lmtp]


HEADER = f"POST /bounces?recipient={PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"


@pytest.mark.parametrize("said", ["", "GET /hea", HEADER + "Content-Length: 9\r\n\r\nhalf"])
async def test_mail_comes_in_over_http_though_idlers_hold_every_connection(serve_http, said: str) -> None:
    house = await serve_http(server_limits=HttpLimits(connections=PLACES, spare=AT_ONCE))
    idlers = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(PLACES)]
    for _, idler in idlers:
        idler.write(said.encode())
    await eventually(lambda: len(house.server._listener._connections) == PLACES, "every place is taken")
    assert (await house.hand_in(b"a mail")).status == 200
    for _, idler in idlers:
        idler.close()


async def test_a_request_at_work_keeps_its_connection(serve_http, intake) -> None:
    house = await serve_http(server_limits=HttpLimits(connections=1, spare=AT_ONCE))
    intake.open[PATH].clear()
    first = asyncio.create_task(house.hand_in(b"a mail"))
    await eventually(lambda: intake.asked, "the intake has it")
    assert (await house.hand_in(b"another")).status == 503
    intake.open[PATH].set()
    assert (await first).status == 200


async def test_a_crowd_is_told_of_in_a_few_lines(tmp_path: Path) -> None:
    server = VerpSocket(ScriptedReturnPaths(), limits=Limits(connections=1, spare=PATIENCE))
    await server.listen(tmp_path / "verp.sock")
    with capture_logs() as lines:
        _, first = await asyncio.open_unix_connection(tmp_path / "verp.sock")
        for _ in range(2 * TOLD):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "verp.sock")
            assert await reader.read() == netstring(TOO_MANY_CONNECTIONS)
            writer.close()
        first.close()
        await server.close()
    assert 0 < len(lines) <= TOLD


def test_who_was_served_just_now_is_spared() -> None:
    since = {"at work": None, "old": 5.0, "older": 4.0, "new": 9.5}
    assert idlest(since, since.__getitem__, 9.0) == "older"
    assert idlest(["at work", "new"], since.__getitem__, 9.0) is None
    assert idlest([], since.__getitem__, 9.0) is None


def test_who_began_to_send_at_this_very_tick_of_the_clock_may_be_the_slowest() -> None:
    sending = {"slow": (7.0, 10), "fast": (7.0, 20), "silent": None}
    assert slowest(sending, lambda peer: sending[peer], now=7.0, long_ago=8.0) == "slow"

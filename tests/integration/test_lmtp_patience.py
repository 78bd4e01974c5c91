"""How long the LMTP door waits, and for how many: limits, idle and slow peers, shutting down."""

import asyncio
import contextlib
import socket
import time

import pytest

from sidecar.edges import replies
from sidecar.edges.replies import REPLIES
from sidecar.services.receipt import Receipt
from tests.integration.doors import PATIENCE, eventually, hung_up

TAKEN = REPLIES[Receipt.TAKEN].lmtp


async def test_sessions_over_the_limit_are_sent_away_until_one_ends(serve_lmtp, connect_lmtp):
    server = await serve_lmtp(sessions=2)
    first, second = await (await connect_lmtp()).hello(), await (await connect_lmtp()).hello()
    assert await (await connect_lmtp()).rest() == [replies.TOO_MANY_SESSIONS]
    first.say("QUIT")
    assert await first.rest() == [replies.BYE]
    await eventually(lambda: len(server._sessions) == 1, "the first session is over")
    await (await connect_lmtp()).hello()
    second.say("NOOP")
    assert await second.hear() == [replies.OK]


@pytest.mark.parametrize(
    "said", [[], ["LHLO x"], ["LHLO x", "MAIL FROM:<>", "RCPT TO:<one@b>", "DATA", "half"]]
)
async def test_an_idle_peer_is_sent_away(serve_lmtp, connect_lmtp, said):
    await serve_lmtp(idle=0.05)
    client = await connect_lmtp()
    client.say(*said)
    assert (await client.rest())[-1] == replies.IDLE


@pytest.mark.parametrize(
    "said",
    [[], ["LHLO x"], ["LHLO x", "MAIL FROM:<>", "RCPT TO:<one@b>", "DATA"]],
    ids=["line", "next", "mail"],
)
async def test_a_peer_that_drips_is_sent_away_though_it_is_never_idle(serve_lmtp, lmtp_path, said):
    server = await serve_lmtp(mail=0.3)

    def drip() -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(lmtp_path))
            client.sendall("".join(f"{line}\r\n" for line in said).encode())
            with contextlib.suppress(BrokenPipeError):
                while True:
                    client.sendall(b"x")
                    time.sleep(0.01)  # the pace of the drops; nothing is waited for
            return b"".join(iter(lambda: client.recv(1000), b""))

    heard = await asyncio.to_thread(drip)
    assert heard.decode().splitlines()[-1] == replies.TOO_SLOW
    await eventually(lambda: not server._sessions, "the session is over")


async def test_a_peer_that_talks_and_brings_no_mail_is_sent_away(serve_lmtp, connect_lmtp):
    await serve_lmtp(mail=0.3)
    client = await (await connect_lmtp()).hello()
    client.say("NOOP")
    assert await client.hear() == [replies.OK]
    assert await client.rest() == [replies.TOO_SLOW]


async def test_each_mail_has_its_own_time(serve_lmtp, intake, connect_lmtp):
    """The intake's own is not the peer's."""
    await serve_lmtp(mail=0.5)
    steady, other = await (await connect_lmtp()).hello(), await (await connect_lmtp()).hello()
    intake.open["slow@b"]
    await steady.hand_in("slow@b")
    assert await other.rest() == [replies.TOO_SLOW]
    intake.open["slow@b"].set()
    assert await steady.hear() == [TAKEN]
    await steady.hand_in("one@b")
    assert await steady.hear() == [TAKEN]


@pytest.mark.slow
async def test_a_peer_that_waits_for_the_intake_is_not_idle(serve_lmtp, intake, connect_lmtp):
    server = await serve_lmtp(idle=0.5)
    intake.open["one@b"]
    waiting, idle = await (await connect_lmtp()).hello(), await (await connect_lmtp()).hello()
    await waiting.hand_in("one@b")
    waiting.say("NOOP")
    assert await idle.rest() == [replies.IDLE]
    assert len(server._sessions) == 1
    intake.open["one@b"].set()
    assert (await waiting.rest()) == [TAKEN, replies.OK, replies.IDLE]


def push(path, before: bytes, noise: bytes) -> tuple[socket.socket, int]:
    """A client that says what it can without waiting, and reads nothing; with how much that was."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    client.sendall(before)
    client.settimeout(0.2)
    pushed = 0
    with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
        while pushed < 2**26:
            pushed += client.send(noise)
    return client, pushed


async def test_a_peer_that_does_not_read_is_cut_off(serve_lmtp, lmtp_path):
    server = await serve_lmtp(write=0.5)
    client, pushed = await asyncio.to_thread(push, lmtp_path, b"", b"NOOP\r\n" * 1000)
    assert pushed < 2**22
    await eventually(lambda: not server._sessions, "the session is over")
    client.close()


async def test_nothing_more_is_read_while_a_delivery_is_pending(serve_lmtp, intake, lmtp_path):
    server = await serve_lmtp()
    intake.open["one@b"]
    mail = b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<one@b>\r\nDATA\r\n.\r\n"
    client, pushed = await asyncio.to_thread(push, lmtp_path, mail, b"x" * 1000)
    assert intake.asked
    assert pushed < 2**21
    client.close()
    intake.open["one@b"].set()
    await eventually(lambda: not server._sessions, "the session is over")


async def test_closing_sends_idle_peers_away_and_lets_the_pending_one_finish(
    serve_lmtp, intake, connect_lmtp, lmtp_path
):
    server = await serve_lmtp()
    intake.open["one@b"]
    idle, pending = await (await connect_lmtp()).hello(), await (await connect_lmtp()).hello()
    await pending.hand_in("one@b")
    await eventually(lambda: intake.asked, "the intake is at work")
    closing = asyncio.create_task(server.close(grace=PATIENCE))
    assert await idle.rest() == [replies.SHUTTING_DOWN]
    assert not lmtp_path.exists()
    with pytest.raises(OSError):
        await connect_lmtp()
    assert not closing.done()
    intake.open["one@b"].set()
    assert await pending.rest() == [TAKEN, replies.SHUTTING_DOWN]
    await closing


@pytest.mark.parametrize("turns", range(6))
async def test_a_peer_that_comes_while_it_closes_is_sent_away(serve_lmtp, lmtp_path, turns):
    """Accepted by the event loop in several turns: the end may come between any two."""
    server = await serve_lmtp()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(lmtp_path))
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.close(grace=PATIENCE)
        heard = (await hung_up(client)).decode().splitlines()
    assert heard in ([], [replies.SHUTTING_DOWN], [replies.greeting("bounce-sidecar"), replies.SHUTTING_DOWN])


async def test_closing_ends_when_grace_ends_and_cancels_no_work(serve_lmtp, intake, connect_lmtp):
    server = await serve_lmtp()
    intake.open["one@b"]
    client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b")
    await eventually(lambda: intake.asked, "the intake is at work")
    await server.close(grace=0.05)
    with contextlib.suppress(ConnectionResetError):
        assert await client.rest() == []
    intake.open["one@b"].set()
    await eventually(lambda: intake.finished, "the work is finished")

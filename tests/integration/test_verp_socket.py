"""The VERP socket on real sockets: what is asked and what is answered."""

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
from structlog.testing import capture_logs

from sidecar.edges import replies
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.edges.socketmap import netstring
from sidecar.edges.unix_socket import CannotListen
from sidecar.edges.verp_socket import Limits, Lookups, VerpSocket
from sidecar.services.receipt import Receipt
from tests.integration.doors import PATIENCE, connecting, eventually, hung_up
from tests.integration.return_paths import ScriptedReturnPaths, serving

#: asked -> answered
TABLE: list[tuple[str, str]] = [
    ("verp testwiki 12345 user@example.org", "OK wiki-testwiki-12345-16@b.example"),
    ("verp zh-min-nanwiki 1 ü@ö.example", "OK wiki-zh-min-nanwiki-1-11@b.example"),
    ('verp testwiki 1 "a b"@example.org', "OK wiki-testwiki-1-17@b.example"),
    ("verp unknown 1 user@example.org", replies.UNKNOWN_WIKI),
    ("verp long 1 user@example.org", replies.RETURN_PATH_TOO_LONG),
    ("verp broken 1 user@example.org", TROUBLE.socketmap),
    *(
        (f"verp testwiki {bad} user@example.org", replies.BAD_USER_ID)
        for bad in ["0", "-1", "٣", "1.0", "+1"]
    ),
    *((f"verp testwiki {bad} user@example.org", replies.BAD_USER_ID) for bad in ["01", "1_0", "x", "1e3"]),
    ("verp testwiki 1 user", replies.BAD_ADDRESS),
    *((asked, replies.EXPECTED_VERP) for asked in ["verp", "verp ", "verp testwiki", "verp testwiki 1"]),
    *((asked, replies.EXPECTED_VERP) for asked in ["verp testwiki 1 ", "verp  1 a@b", "verp testwiki  a@b"]),
    ("confirm testwiki 12345 user@example.org", "OK wiki-testwiki-12345-16@b.example-confirming"),
    ("confirm unknown 1 user@example.org", replies.UNKNOWN_WIKI),
    ("confirm testwiki 0 user@example.org", replies.BAD_USER_ID),
    ("confirm testwiki 1 user", replies.BAD_ADDRESS),
    ("confirm testwiki 1", replies.EXPECTED_CONFIRM),
    ("bounce wiki-testwiki-9ix-tosry7-key@b.example", "OK testwiki 12345"),
    ("bounce nobody@b.example", "NOTFOUND "),
    ("bounce postmaster@b.example", "NOTFOUND "),
    ("bounce wiki-x@elsewhere.example", "NOTFOUND "),
    ("bounce @b.example", "NOTFOUND "),
    ("bounce nobody", "NOTFOUND "),
    ("bounce forged@b.example", REPLIES[Receipt.FORGED].socketmap),
    ("bounce old@b.example", REPLIES[Receipt.TOO_LATE].socketmap),
    ("bounce unknown@b.example", replies.verified_for_nobody_known()),
    ("bounce broken@b.example", TROUBLE.socketmap),
    ("bounce ", replies.EXPECTED_BOUNCE),
    ("bounce", replies.EXPECTED_BOUNCE),
    ("", replies.UNKNOWN_LOOKUP),
    ("VERP testwiki 1 a@b", replies.UNKNOWN_LOOKUP),
    ("other a@b", replies.UNKNOWN_LOOKUP),
]


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def hear(self) -> str:
        async with asyncio.timeout(PATIENCE):
            length = int((await self._reader.readuntil(b":"))[:-1])
            reply = await self._reader.readexactly(length + 1)
        assert reply.endswith(b",")
        return reply[:-1].decode()

    async def rest(self) -> bytes:
        """Everything until the server hangs up."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()

    async def ask(self, request: str) -> str:
        self.writer.write(netstring(request))
        return await self.hear()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "verp.sock"


@pytest.fixture
async def serve(path) -> AsyncIterator[Callable[..., Awaitable[VerpSocket]]]:
    async with serving(VerpSocket, path) as start:
        yield start


@pytest.fixture
async def connect(path) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    with connecting(partial(asyncio.open_unix_connection, path), Client) as connect:
        yield connect


async def test_the_table_of_questions_on_one_connection(serve, connect):
    await serve()
    client = await connect()
    assert [(asked, await client.ask(asked)) for asked, _ in TABLE] == TABLE


async def test_many_questions_in_one_packet_are_answered_in_their_order(serve, connect):
    await serve()
    client = await connect()
    client.writer.write(b"".join(netstring(asked) for asked, _ in TABLE))
    assert [await client.hear() for _ in TABLE] == [answer for _, answer in TABLE]


async def test_what_is_nobodys_return_path_is_not_verified_and_so_not_counted():
    """Postfix asks for "@domain" behind each address that was not found."""
    return_paths = ScriptedReturnPaths()
    lookups = Lookups(return_paths)
    for key in ("@b.example", "postmaster@b.example", "wiki-x@elsewhere.example", "forged@b.example"):
        assert lookups("bounce", key).startswith("NOTFOUND ")
    assert return_paths.verified == ["forged@b.example"]


async def test_a_socket_may_offer_one_lookup_alone(path, connect):
    server = VerpSocket(ScriptedReturnPaths(), ["bounce"])
    await server.listen(path)
    client = await connect()
    assert await client.ask("verp testwiki 1 a@b") == replies.UNKNOWN_LOOKUP
    assert await client.ask("bounce wiki-x@b.example") == "OK testwiki 12345"
    await server.close()


async def test_unforeseen_trouble_is_logged_without_an_address(serve, connect):
    await serve()
    client = await connect()
    with capture_logs() as logs:
        assert await client.ask("verp broken 1 user@secret.example") == TROUBLE.socketmap
    loud = [line for line in logs if line["log_level"] != "debug"]
    assert [(line["event"], line["error"]) for line in loud] == [("lookup failed", "ValueError")]
    assert "secret" not in str(loud)


async def test_a_request_that_is_too_long_or_not_utf8_does_not_end_the_connection(serve, connect):
    await serve()
    client = await connect()
    client.writer.write(netstring("verp testwiki 1 " + "x" * 5000 + "@example.org") + b"2:\xff\xfe,")
    assert [await client.hear(), await client.hear()] == [replies.REQUEST_TOO_LONG, replies.NOT_UTF8]
    assert await client.ask("verp testwiki 1 a@b") == "OK wiki-testwiki-1-3@b.example"


@pytest.mark.parametrize("said", [b"00:,", b"999999:x,", b"verp testwiki 1\n", b"3:abcd"])
async def test_what_is_no_netstring_is_told_once_and_hung_up_on(serve, connect, said):
    await serve()
    client = await connect()
    client.writer.write(said)
    assert await client.rest() == netstring(replies.NOT_A_NETSTRING)


async def test_a_client_that_dies_half_way_harms_nobody(serve, connect):
    server = await serve()
    client = await connect()
    client.writer.write(b"30:verp test")
    await eventually(lambda: server.connections, "it is connected")
    client.writer.transport.abort()
    await eventually(lambda: not server.connections, "it is gone")
    assert await (await connect()).ask("bounce wiki-x@b.example") == "OK testwiki 12345"


async def test_an_idle_connection_is_closed_in_the_end(serve, connect):
    await serve(Limits(idle=0.3))
    client = await connect()
    assert await client.ask("bounce wiki-x@b.example") == "OK testwiki 12345"
    assert await client.rest() == b""


@pytest.mark.slow
async def test_a_connection_that_is_used_is_not_idle(serve, connect):
    await serve(Limits(idle=0.5))
    busy, idle = await connect(), await connect()
    closed = asyncio.create_task(idle.rest())
    while not closed.done():
        assert await busy.ask("bounce wiki-x@b.example") == "OK testwiki 12345"
    assert await busy.ask("bounce wiki-x@b.example") == "OK testwiki 12345"


async def test_connections_over_the_limit_hear_that_it_is_temporary(serve, connect):
    await serve(Limits(connections=1))
    client = await connect()
    assert await client.ask("bounce wiki-x@b.example") == "OK testwiki 12345"
    assert await (await connect()).rest() == netstring(replies.TOO_MANY_CONNECTIONS)
    assert await client.ask("bounce wiki-x@b.example") == "OK testwiki 12345"


async def test_a_peer_that_does_not_read_is_cut_off(serve, path):
    server = await serve(Limits(write=0.5))

    def push() -> tuple[socket.socket, int]:
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(path))
        client.settimeout(0.2)
        pushed = 0
        with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
            while pushed < 2**26:
                pushed += client.send(netstring("bounce a@b") * 1000)
        return client, pushed

    client, pushed = await asyncio.to_thread(push)
    assert pushed < 2**22
    await eventually(lambda: not server.connections, "it is cut off")
    client.close()


async def test_closing_hangs_up_and_removes_the_file(serve, connect, path):
    server = await serve()
    client = await connect()
    assert await client.ask("bounce wiki-x@b.example") == "OK testwiki 12345"
    await server.close()
    assert await client.rest() == b""
    assert not path.exists()
    await server.close()


@pytest.mark.parametrize("turns", range(6))
async def test_a_peer_that_comes_while_it_closes_is_hung_up_on(serve, path, turns):
    """Accepted by the event loop in several turns: the end may come between any two."""
    server = await serve()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.close()
        assert await hung_up(client) in (b"", netstring(replies.TOO_MANY_CONNECTIONS))


async def test_a_live_socket_is_not_taken_over(serve, path):
    await serve()
    with pytest.raises(CannotListen, match="in use"):
        await VerpSocket(ScriptedReturnPaths()).listen(path)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("key", "found", "words"),
    [
        ("wiki-x@b.example", "testwiki 12345\n", ""),
        ("nobody@b.example", "", ""),
        ("forged@b.example", "", ""),
        ("old@b.example", "", ""),
        ("broken@b.example", "", "temporary error"),
        ("", "", "permanent error"),
    ],
)
async def test_postfix_takes_a_refusal_with_a_reason_for_not_found(
    serve, path, tmp_path, postfix_prefix, key, found, words
):
    """Its socketmap client reads no further than NOTFOUND: no warning, so the recipient is refused."""
    await serve()
    (tmp_path / "dynamicmaps.cf").write_text("")
    (tmp_path / "main.cf").write_text(
        f"compatibility_level = 3.6\nmail_owner = uucp\nsetgid_group = news\nqueue_directory = {tmp_path}\n"
        f"data_directory = {tmp_path}\nshlib_directory = {postfix_prefix}/usr/lib/postfix\n"
    )

    a_while_ago = time.time() - 60  # Postfix waits for two seconds when its configuration is fresh
    os.utime(tmp_path / "main.cf", (a_while_ago, a_while_ago))

    def ask() -> subprocess.CompletedProcess[str]:
        program = postfix_prefix / "usr/sbin/postmap"
        command = [program, "-c", tmp_path, "-q", key, f"socketmap:unix:{path}:bounce"]
        return subprocess.run(
            command, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True, timeout=30, check=False
        )

    done = await asyncio.to_thread(ask)
    assert done.stdout == found
    assert (words in done.stderr) if words else not done.stderr
    assert done.returncode == (0 if found else 1)

"""The policy service on real sockets: what is asked, what is answered, and when it hangs up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sidecar.edges.policy_service import PolicyService
from sidecar.edges.query_socket import Limits
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.services.receipt import Receipt
from tests.integration.doors import PATIENCE, connecting, eventually
from tests.integration.return_paths import serving

#: recipient -> action
TABLE: list[tuple[str, str]] = [
    ("wiki-enwiki-7-t-k@b.example", "DUNNO"),
    ("wiki-=recipient=%$+/{}@b.example", "DUNNO"),
    ("unknown@b.example", "DUNNO"),
    ("postmaster@b.example", "DUNNO"),
    ("forged@elsewhere.example", "DUNNO"),
    ("forged", "DUNNO"),
    ("", "DUNNO"),
    ("forged@b.example", REPLIES[Receipt.FORGED].policy),
    ("old@b.example", REPLIES[Receipt.TOO_LATE].policy),
    ("nobody@b.example", REPLIES[Receipt.NOT_OURS].policy),
    ("@b.example", REPLIES[Receipt.NOT_OURS].policy),
    ("broken@b.example", TROUBLE.policy),
]


def request(recipient: str) -> bytes:
    return f"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={recipient}\n\n".encode()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def ask(self, recipient: str) -> str:
        self.writer.write(request(recipient))
        async with asyncio.timeout(PATIENCE):
            answer = await self._reader.readuntil(b"\n\n")
        return answer.decode().removeprefix("action=").removesuffix("\n\n")

    async def rest(self) -> bytes:
        """Everything until the server hangs up."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "policy.sock"


@pytest.fixture
async def serve(path: Path) -> AsyncIterator[Callable[..., Awaitable[PolicyService]]]:
    async with serving(PolicyService, path) as start:
        yield start


@pytest.fixture
async def connect(path: Path) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    with connecting(partial(asyncio.open_unix_connection, path), Client) as connect:
        yield connect


async def test_the_table_of_recipients_on_one_connection(serve, connect):
    await serve()
    client = await connect()
    assert [(asked, await client.ask(asked)) for asked, _ in TABLE] == TABLE


async def test_many_requests_in_one_packet_are_answered_in_their_order(serve, connect):
    await serve()
    client = await connect()
    client.writer.write(b"".join(request(asked) for asked, _ in TABLE))
    client.writer.write_eof()
    assert await client.rest() == b"".join(f"action={action}\n\n".encode() for _, action in TABLE)


async def test_a_peer_that_half_closes_gets_its_answer_and_is_hung_up_on(serve, connect):
    """Exim's readsocket does, and reads until we close."""
    server = await serve()
    client = await connect()
    client.writer.write(request("forged@b.example"))
    client.writer.write_eof()
    assert await client.rest() == f"action={REPLIES[Receipt.FORGED].policy}\n\n".encode()
    await eventually(lambda: not server.connections, "it is gone")


@pytest.mark.parametrize("said", [b"request=smtpd_access_policy\nrecipient=forged@b.example\n", b"", b"\n"])
async def test_half_a_request_gets_no_answer(serve, connect, said):
    await serve()
    client = await connect()
    client.writer.write(said)
    client.writer.write_eof()
    assert await client.rest() == b""


async def test_garbage_is_hung_up_on_behind_the_answers_that_were_due_and_told_without_quoting(
    serve, connect
):
    await serve()
    client = await connect()
    with capture_logs() as lines:
        client.writer.write(request("old@b.example") + b"GET secret HTTP/1.1\n\n" + request("old@b.example"))
        assert await client.rest() == f"action={REPLIES[Receipt.TOO_LATE].policy}\n\n".encode()
    [line] = lines
    assert (line["event"], line["log_level"]) == ("policy request not understood", "warning")
    assert "secret" not in str(line)


async def test_unforeseen_trouble_is_temporary_logged_without_an_address_and_ends_nothing(serve, connect):
    await serve()
    client = await connect()
    with capture_logs() as lines:
        assert await client.ask("broken@b.example") == TROUBLE.policy
    loud = [line for line in lines if line["log_level"] != "debug"]
    assert [(line["event"], line["error"]) for line in loud] == [
        ("recipient could not be judged", "ValueError")
    ]
    assert "@" not in str(loud)
    assert await client.ask("wiki-x@b.example") == "DUNNO"


async def test_a_connection_too_many_is_hung_up_on_without_a_word(serve, connect):
    await serve(Limits(connections=1))
    client = await connect()
    assert await client.ask("wiki-x@b.example") == "DUNNO"
    assert await (await connect()).rest() == b""
    assert await client.ask("wiki-x@b.example") == "DUNNO"


async def test_an_idle_connection_is_closed_in_the_end(serve, connect):
    await serve(Limits(idle=0.3))
    client = await connect()
    assert await client.ask("wiki-x@b.example") == "DUNNO"
    assert await client.rest() == b""

"""What the tests of the doors share: an intake that does what it is told, clients, and waiting.

Knows the port and the protocol's lines. Does not know what is expected.
"""

import asyncio
import contextlib
import gc
import socket
import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from sidecar.services.receipt import Receipt, Received
from tests.support.waiting import until

__all__ = ["PATIENCE", "Client", "ScriptedIntake", "connecting", "eventually", "hung_up"]

PATIENCE = 30.0  # seconds that a test waits for anything; the machine may be busy

Speaker = TypeVar("Speaker")  # a client of a test


class ScriptedIntake:
    """Takes everything, at once, unless told otherwise."""

    def __init__(self) -> None:
        self.asked: list[Received] = []
        self.finished: list[Received] = []
        self.receipts: dict[str, Receipt | BaseException] = {}
        self.open = defaultdict(asyncio.Event)  #: by recipient: take() waits for it, where there is one

    def refusal(self, recipient: str, *, tell: bool = True) -> Receipt | None:
        return Receipt.NOT_OURS if recipient.startswith("nobody") else None

    async def take(self, received: Received) -> Receipt:
        self.asked.append(received)
        if received.recipient in self.open:
            await self.open[received.recipient].wait()
        self.finished.append(received)
        receipt = self.receipts.get(received.recipient, Receipt.TAKEN)
        if isinstance(receipt, BaseException):
            raise receipt
        return receipt


class Client:
    """One LMTP session of a test, reply by reply."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def hear(self, count: int = 1) -> list[str]:
        async with asyncio.timeout(PATIENCE):
            return [(await self._reader.readuntil(b"\r\n")).decode().rstrip() for _ in range(count)]

    async def rest(self) -> list[str]:
        """Everything until the server hangs up."""
        async with asyncio.timeout(PATIENCE):
            return (await self._reader.read()).decode().splitlines()

    def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def hello(self) -> "Client":
        self.say("LHLO mx.example.org")
        await self.hear(7)
        return self

    async def hand_in(self, *recipients: str, body: str = "Subject: x") -> None:
        """A mail up to its final dot, without waiting for what is said to that."""
        self.say("MAIL FROM:<>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA")
        await self.hear(2 + len(recipients))
        self.say(body, ".")

    async def gone(self) -> None:
        self.writer.transport.abort()


@contextlib.contextmanager
def connecting(
    dial: Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]],
    client: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Speaker],
) -> Iterator[Callable[..., Awaitable[Speaker]]]:
    """Makes a client of each connection; in the end all are closed."""
    writers: list[asyncio.StreamWriter] = []

    async def connect(*where: object) -> Speaker:
        reader, writer = await dial(*where)
        writers.append(writer)
        return client(reader, writer)

    yield connect
    for writer in writers:
        writer.close()


async def hung_up(client: socket.socket) -> bytes:
    """What a client of a closing server hears until it is hung up on.

    Python 3.11 forgets a connection that it accepted while the listener was closed, and hangs up when that is
    collected, or the process ends.
    """
    for _ in range(10):  # turns of the event loop; it needs three to accept
        await asyncio.sleep(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    client.settimeout(PATIENCE)
    return await asyncio.to_thread(_read, client)


def _read(client: socket.socket) -> bytes:
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(1000):
            heard += chunk
    return heard


async def eventually(look: Callable[[], object], what: str) -> None:
    """Waits for the condition while the event loop goes on."""
    await asyncio.to_thread(until, look, what)

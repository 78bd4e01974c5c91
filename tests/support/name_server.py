"""A name server for domains that only exist in the tests.

Knows the table below and answers from it, on UDP. Does not forward: what it does not know is NXDOMAIN.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import dns.message
import dns.rcode
import dns.rrset

from tests.support.loop_thread import LoopThread

__all__ = ["Name", "NameServer"]

TTL = 5  # seconds; nothing here changes


@dataclass(frozen=True)
class Name:
    """What is known of one name. Nothing at all: it exists, without an address."""

    mx: str = ""  #: host that takes its mail; "." is the null MX of RFC 7505: nobody does
    a: str = ""  #: its address
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR


class NameServer:
    """Answers for *names* on *host* and *port*, 0 being any that is free, from start() to stop()."""

    def __init__(self, host: str, names: Mapping[str, Name], port: int = 53) -> None:
        self.host, self.port = host, port
        self.names = MappingProxyType(dict(names))
        self._thread: LoopThread | None = None
        self._transport: asyncio.BaseTransport | None = None

    def start(self) -> None:
        self._thread = LoopThread("name-server")
        self._thread.call(self._listen())

    def stop(self) -> None:
        """Repeatable."""
        if self._thread is not None:
            if self._transport is not None:
                self._thread.loop.call_soon_threadsafe(self._transport.close)
            self._thread.end()
            self._thread = None

    def answer(self, query: dns.message.QueryMessage) -> dns.message.Message:
        question = query.question[0]
        known = self.names.get(
            question.name.to_text(omit_final_dot=True).lower(), Name(rcode=dns.rcode.NXDOMAIN)
        )
        reply = dns.message.make_response(query, recursion_available=True)
        reply.set_rcode(known.rcode)
        mx = "0 ." if known.mx == "." else f"10 {known.mx}."
        records = {"MX": known.mx and mx, "A": known.a}
        kind = dns.rdatatype.to_text(question.rdtype)
        if value := records.get(kind):
            reply.answer.append(dns.rrset.from_text(question.name, TTL, "IN", kind, value))
        return reply

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        endpoint = loop.create_datagram_endpoint(lambda: _Protocol(self), local_addr=(self.host, self.port))
        self._transport, _ = await endpoint
        self.port = self._transport.get_extra_info("sockname")[1]


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        if self._transport is not None and isinstance(query, dns.message.QueryMessage):
            self._transport.sendto(self._server.answer(query).to_wire(), address)

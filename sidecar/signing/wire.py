"""The socket between the daemon and a process that signs for it, at either end.

Knows octets and that the other may end at any time. Does not know what the words mean.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Self, cast

from sidecar.signing.words import Words, spelled

__all__ = ["Wire"]


class Wire(asyncio.Protocol):
    """*hear* is called with each word, *lost* once, when the other has ended or hung up."""

    def __init__(self, hear: Callable[[object], None], lost: Callable[[], None]) -> None:
        self._hear, self._lost, self._words = hear, lost, Words()

    @classmethod
    async def over(cls, end: socket.socket, hear: Callable[[object], None], lost: Callable[[], None]) -> Self:
        """At this *end* of a pair of sockets, from now on."""
        loop = asyncio.get_running_loop()
        return (await loop.create_unix_connection(lambda: cls(hear, lost), sock=end))[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for word in self._words.feed(data):
            self._hear(word)

    def connection_lost(self, _: Exception | None) -> None:
        self._lost()

    def say(self, word: object) -> None:
        """Neither blocks nor waits; to who has ended it says nothing."""
        self._transport.write(spelled(word))

    def unheard(self) -> int:
        """Octets that the other has not taken yet."""
        return self._transport.get_write_buffer_size()

    def hang_up(self) -> None:
        """Once all that was said is taken."""
        self._transport.close()

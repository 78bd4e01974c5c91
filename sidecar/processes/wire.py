"""The socket between two processes of ours, on the event loop of either.

Knows frames, and that the other may end at any time. Does not know what is told.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Self, cast

from sidecar.processes.frames import Frames, framed

__all__ = ["Wire"]


class Wire(asyncio.Protocol):
    """*hear* is called with what each frame holds, *lost* once, when the other has ended or hung up."""

    def __init__(self, hear: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._hear, self._lost, self._frames = hear, lost, Frames()

    @classmethod
    async def over(cls, end: socket.socket, hear: Callable[[bytes], None], lost: Callable[[], None]) -> Self:
        """At this *end* of a pair of sockets, from now on; closes it in the end."""
        loop = asyncio.get_running_loop()
        return (await loop.create_unix_connection(lambda: cls(hear, lost), sock=end))[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for said in self._frames.feed(data):
            self._hear(said)

    def connection_lost(self, _: Exception | None) -> None:
        self._lost()

    def say(self, what: bytes) -> None:
        """Neither blocks nor waits; to who has ended it says nothing."""
        # Its end is known here before `lost` is called; each word in between would be a warning of a library.
        if not self._transport.is_closing():
            self._transport.write(framed(what))

    def unheard(self) -> int:
        """Octets that the other has not taken yet."""
        return self._transport.get_write_buffer_size()

    def hang_up(self) -> None:
        """Once all that was said is taken."""
        self._transport.close()

    def abort(self) -> None:
        """Hang up at once, and hear no more."""
        self._transport.abort()

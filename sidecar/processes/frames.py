"""Frames: how two processes of ours tell each other octets over a stream. Four of them tell how many follow.

Knows lengths. Does not know what is told.
"""

from collections.abc import Iterator
from typing import IO

__all__ = ["Frames", "frame_from", "framed"]

HEAD = 4  # octets


def framed(what: bytes) -> bytes:
    """As it goes over the stream."""
    return len(what).to_bytes(HEAD, "big") + what


def frame_from(stream: IO[bytes]) -> bytes:
    """The next one, waited for; empty when there is none."""
    return stream.read(int.from_bytes(stream.read(HEAD), "big"))


class Frames:
    """Frames out of octets, however these are cut."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the frames hold that are complete now, in their order."""
        self._rest += data
        while len(self._rest) >= HEAD:
            end = HEAD + int.from_bytes(self._rest[:HEAD], "big")
            if len(self._rest) < end:
                return
            what = bytes(self._rest[HEAD:end])
            del self._rest[:end]
            yield what

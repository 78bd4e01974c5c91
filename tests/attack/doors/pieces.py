"""The same octets in pieces: a reader must not care where a packet ends."""

from collections.abc import Iterator
from hashlib import blake2b
from random import Random

__all__ = ["cuts"]

OCTETS_EACH = 200  # up to so many, octet by octet is one of the ways


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Whole, octet by octet if that is not long, and in pieces by a chance that is the data's own."""
    yield [data]
    if not data:
        return
    if len(data) <= OCTETS_EACH:
        yield [data[at : at + 1] for at in range(len(data))]
    chance, pieces, rest = Random(blake2b(data, digest_size=8).digest()), [], data
    while rest:
        length = chance.choice((1, 2, 3, 7, 64, 1500, 65_536))
        pieces.append(rest[:length])
        rest = rest[length:]
    yield pieces

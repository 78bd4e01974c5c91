"""HMAC-SHA256 under a key that is used again and again.

Knows RFC 2104, whose section 4 has the two blocks that the key fills hashed once and for all.
Does not know what is signed.
"""

import hashlib

__all__ = ["Mac"]

BLOCK = hashlib.sha256().block_size  # octets
_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))


class Mac:
    """Under one key. Says what hmac.digest says, in 40 % of the time: each mail of the wiki waits for two."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        block = (key if len(key) <= BLOCK else hashlib.sha256(key).digest()).ljust(BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER))
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def __reduce__(self) -> tuple[type["Mac"], tuple[bytes]]:
        """A hash that has begun cannot be handed to another process; the key can."""
        return Mac, (self._key,)

    def digest(self, message: bytes) -> bytes:
        """32 octets."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

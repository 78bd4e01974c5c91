"""Postfix's socketmap (socketmap_table(5)) without a socket: requests in, replies out, both netstrings.

Knows the framing and its limits. Does not know what a lookup means.
"""

from collections.abc import Callable

from sidecar.edges import replies

__all__ = ["Connection", "netstring"]

REQUEST_LIMIT = 1000  # octets; the name of a lookup, a wiki, a number and an address of at most 320
SKIP_LIMIT = 64 * 1024  # octets; a longer request is answered and skipped up to here, then we hang up
_DIGITS = len(str(SKIP_LIMIT))


def netstring(text: str) -> bytes:
    """One reply as it goes over the wire."""
    payload = text.encode()
    return b"%d:%b," % (len(payload), payload)


class _Broken(Exception):
    """The peer does not speak netstrings: say so once and hang up."""


class Connection:
    """The server's side of one connection. `lookup(name, key)` answers one request and does not raise."""

    def __init__(self, lookup: Callable[[str, str], str]) -> None:
        self.closed = False  #: the caller sends what it was given and hangs up
        self._lookup = lookup
        self._rest = b""  # never longer than one request
        self._skip = 0  # octets of an over-long request, with its comma, that are still to come

    def receive(self, data: bytes) -> bytes:
        """The replies to all requests that are complete, in their order."""
        if self.closed:
            return b""
        out: list[bytes] = []
        try:
            self._rest = self._read(self._rest + data if self._rest else data, out)
        except _Broken:
            self.closed = True
            out.append(netstring(replies.NOT_A_NETSTRING))
        return b"".join(out)

    def _read(self, data: bytes, out: list[bytes]) -> bytes:
        start, end = 0, len(data)
        while start < end:
            if self._skip:
                start = self._skip_over(data, start)
                continue
            colon = data.find(b":", start, start + _DIGITS + 1)
            if colon < 0:
                _check_length(data[start : start + _DIGITS + 1])
                break
            length = _length(data[start:colon])
            if length > REQUEST_LIMIT:
                out.append(netstring(replies.REQUEST_TOO_LONG))
                self._skip, start = length + 1, colon + 1
                continue
            comma = colon + 1 + length
            if comma >= end:
                break
            if data[comma] != 0x2C:
                raise _Broken
            out.append(netstring(self._answer(data[colon + 1 : comma])))
            start = comma + 1
        return data[start:]

    def _skip_over(self, data: bytes, start: int) -> int:
        step = min(self._skip, len(data) - start)
        self._skip -= step
        if not self._skip and data[start + step - 1] != 0x2C:
            raise _Broken
        return start + step

    def _answer(self, request: bytes) -> str:
        try:
            name, _, key = request.decode().partition(" ")
        except UnicodeDecodeError:
            return replies.NOT_UTF8
        return self._lookup(name, key)


def _check_length(digits: bytes) -> None:
    """As far as it is there: ASCII digits, no leading zero, not too many."""
    if not digits.isdigit() or len(digits) > _DIGITS or (digits[0] == 0x30 and len(digits) > 1):
        raise _Broken


def _length(digits: bytes) -> int:
    _check_length(digits)
    length = int(digits)
    if length > SKIP_LIMIT:
        raise _Broken
    return length

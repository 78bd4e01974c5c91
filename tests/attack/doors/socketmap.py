"""Requests of the socketmap protocol that no honest peer makes, against real lookups.

What must be: the same replies however the octets are cut; each a netstring that begins with a word of the
protocol, on one line; nothing behind a hang-up; little is kept; OK for no address that was not signed.
"""

import re

from sidecar.edges import socketmap
from sidecar.edges.verp_socket import Lookups
from tests.attack.doors.fuzz import Broken, Target, fuzz
from tests.attack.doors.keys import GOOD, return_paths, was_signed
from tests.attack.doors.pieces import cuts
from tests.attack.tally import Tally

__all__ = ["TARGET", "campaign"]

_LOOKUPS = Lookups(return_paths(), failed=lambda: _fail("a lookup raised"))
_NETSTRING = re.compile(rb"(0|[1-9][0-9]*):")
_REPLY = re.compile(r"(OK|NOTFOUND|TEMP|PERM) [^\x00-\x1f\x7f\u2028]*")
KEPT = socketmap.SKIP_LIMIT + 16  # octets that a connection may hold; far less than a peer may send


def _fail(why: str) -> None:
    raise Broken(why)


def _lookup(name: str, key: str) -> str:
    reply = _LOOKUPS(name, key)
    if name == "bounce" and reply.startswith("OK") and not was_signed(key):
        raise Broken(f"OK for {key!r}")
    if reply.startswith("TEMP"):
        raise Broken(f"trouble by {name!r} {key!r}")
    return reply


def _replies(wire: bytes) -> list[str]:
    """What a strict client reads."""
    found, at = [], 0
    while at < len(wire):
        length = _NETSTRING.match(wire, at)
        end = length.end() + int(length[1]) if length else -1
        if not length or wire[end : end + 1] != b",":
            raise Broken(f"no netstring: {wire[at : at + 80]!r}")
        found.append(wire[length.end() : end].decode())
        at = end + 1
    return found


def _check(data: bytes) -> None:
    heard = set()
    for pieces in cuts(data):
        connection = socketmap.Connection(_lookup)
        answer = b""
        for piece in pieces:
            said = connection.receive(piece)
            if len(connection._rest) > KEPT:
                raise Broken(f"{len(connection._rest)} octets are kept")
            answer += said
        if connection.closed and connection.receive(b"7:bounce ,"):
            raise Broken("it speaks behind a hang-up")
        heard.add((answer, connection.closed))
    if len(heard) != 1:
        raise Broken("the answer depends on the packets")
    for reply in _replies(next(iter(heard))[0]):
        if not _REPLY.fullmatch(reply):
            raise Broken(f"a reply that is none: {reply!r}")


TARGET = Target(
    __name__,
    _check,
    seeds=[
        *(b"%d:bounce %b," % (len(path) + 7, path.encode()) for path in GOOD),
        b"40:verp enwiki 12345 somebody@example.org a,",
        b"38:confirm zh-min-nan 7 me@example.org 12,",
        b"0:,1:a,3:a b,1000:" + b"x" * 1000 + b",1001:" + b"x" * 1001 + b",",
        b"65536:" + b"x" * 20,
    ],
    words=[
        b":",
        b",",
        b"0",
        b"-",
        b"99999999999",
        b"bounce ",
        b"verp ",
        b"confirm ",
        b"enwiki",
        b"@",
        b"\r\n",
        b"\xe2\x80\xa8",
        b"\xff",
        b" ",
        b"wiki-enwiki-1-",
        b"@b.example",
        b"@old.example",
        b"%",
        b"!",
        b'"',
    ],
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)

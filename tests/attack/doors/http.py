"""HTTP as smugglers speak it, to a daemon of its own: lengths that lie, chunks, paths, and rude headers.

What must be: answers that are well formed, in JSON, with known statuses; 200 for a mail that is booked, and
never for another; of a request whose end can be read in two ways, one mail at most; nothing in the log.
"""

import json
import re
from random import Random

from tests.attack.doors.besieged import MAIL, TOKEN, Besieged, besieged, said
from tests.attack.tally import Tally, rounds

__all__ = ["campaign"]

QUIET = 0.2  # seconds without a word, behind which nothing more is expected
STATUSES = {100, 200, 400, 401, 403, 404, 405, 408, 410, 411, 413, 414, 415, 417, 421, 431, 501, 503, 505}
_HEAD = re.compile(rb"HTTP/\d\.\d (\d{3}) [ -~]*\r\n((?:[!-9;-~]+: ?[ -~]*\r\n)*)\r\n")
_LENGTH = re.compile(rb"content-length: ?(\d+)", re.IGNORECASE)

#: Headers that say where a body ends; {n} is its true length.
_N, _CHUNKED = "Content-Length: {n}", "Transfer-Encoding: chunked"
LENGTHS = (
    *(_N, f"{_N}\r\n{_N}", f"{_N}\r\nContent-Length: 4", f"Content-Length: 4\r\n{_CHUNKED}"),
    *(f"{_CHUNKED}\r\n{_N}", _CHUNKED, f"Transfer-Encoding : chunked\r\n{_N}", "Content-Length : {n}"),
    *("Content-Length: +{n}", f"{_N} ", f"Transfer-Encoding: identity\r\n{_N}", f"{_CHUNKED}, identity"),
    *(f"Transfer-Encoding: xchunked\r\n{_N}", f"Transfer-Encoding:\x0bchunked\r\n{_N}"),
    *("Content-Length: 0x4", "Content-Length: -1", f"{_N}, {{n}}", f"X: y\n{_N}", "", "Content-Length: ٤"),
    *("Content-Length: 99999999999999999999", "Content-Length: 1_0", "Content-Length:\r\n {n}"),
    *(f"{_CHUNKED}\r\nTransfer-Encoding: identity", "Transfer-Encoding: gzip, chunked"),
)  # fmt: skip
EXPECT = (
    *("", "", "", "Expect: 100-continue\r\n", "Expect: 200-ok\r\n", "Connection: close\r\n"),
    *("Upgrade: h2c\r\n", f"X:{'y' * 9000}\r\n"),
)  # fmt: skip
TARGETS = (
    *("/bounces", "/../bounces", "/%2e%2e/bounces", "//bounces", "/bounces/", "/bounces/../bounces", "*"),
    *("http://evil/bounces", "/./bounces", "/bounces%00", "/bounces;x", "/BOUNCES", "bounces", "/%62ounces"),
    *("/\x7f", "/events", "/sns", "/healthz", "/w/api.php", "/readyz", "/bounces#x", "http://[::1"),
    *("/../../etc/passwd", "?recipient=x", "/" + "a" * 9000),
)  # fmt: skip
METHODS = (
    *("POST", "POST", "POST", "POST", "GET", "PUT", "HEAD", "TRACE", "CONNECT", "OPTIONS", "post"),
    *("P\x00ST", "M" * 300),
)  # fmt: skip
VERSIONS = ("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1 x", "")


class Smuggler:
    """Makes requests; each mail in them has a number of its own."""

    def __init__(self, path: str) -> None:
        self._path, self._number = path, 0

    def attack(self, chance: Random) -> bytes:
        """One connection's worth: a request, perhaps with another in its body, perhaps a third behind it."""
        inner = self._request(chance, "Content-Length: {n}", plain=True)
        body = self._mail() + (inner if chance.random() < 0.6 else b"")
        wire = self._request(chance, chance.choice(LENGTHS), body, plain=chance.random() < 0.6)
        if chance.random() < 0.2:
            at = chance.randrange(len(wire))
            wire = wire[:at] + chance.randbytes(chance.randrange(4)) + wire[at + chance.randrange(3) :]
        return wire + (inner if chance.random() < 0.2 else b"")

    def _mail(self) -> bytes:
        self._number += 1
        return MAIL.format(number=self._number).encode()

    def _request(self, chance: Random, length: str, body: bytes = b"", *, plain: bool) -> bytes:
        body = body or self._mail()
        if "chunked" in length:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            if chance.random() < 0.3:
                sizes = (b"-1", b"0x4", b"ffffffffffffffff", b"4;" + b"x" * 9000, b" 4", b"4\n", b"", b"g")
                body = chance.choice(sizes) + b"\r\n" + body
        method = "POST" if plain else chance.choice(METHODS)
        target = "/bounces" if plain else chance.choice(TARGETS)
        version = "HTTP/1.1" if plain else chance.choice(VERSIONS)
        head = (
            f"{method} {target}?recipient={self._path} {version}\r\nHost: x\r\n"
            f"Authorization: Bearer {TOKEN}\r\n"
            f"{'' if plain else chance.choice(EXPECT)}{length.format(n=len(body))}\r\n"
        )
        return head.encode() + (b"" if head.endswith("\r\n\r\n") else b"\r\n") + body


def answers(heard: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each; raises ValueError for what is no HTTP."""
    found, at = [], 0
    while at < len(heard):
        head = _HEAD.match(heard, at)
        if not head:
            raise ValueError(f"no answer: {heard[at : at + 200]!r}")
        status, length, at = int(head[1]), _LENGTH.search(head[2]), head.end()
        size = int(length[1]) if length else 0
        found.append((status, heard[at : at + size]))
        at += size
    return found


def _one(house: Besieged, smuggler: Smuggler, chance: Random, tally: Tally) -> None:
    wire, before = smuggler.attack(chance), house.booked()
    with house.door("http") as client:
        heard = said(client, wire, QUIET)
    try:
        told = answers(heard)
    except ValueError as error:
        if not re.match(rb"(?:HEAD|M+) ", wire):  # an answer without its body, and one that is not ours
            tally.wrong(str(error), wire)
        return
    for status, body in told:
        if status not in STATUSES:
            tally.wrong(f"status {status}", wire)
        if status == 200 and not isinstance(json.loads(body or b"{}"), dict):
            tally.wrong("200 without an object", wire)
    taken = sum(b'"receipt": "taken"' in body or b'"set aside"' in body for _, body in told)
    booked = house.booked() - before
    if booked < taken:  # more: the answer came when nobody listened any more
        tally.wrong(f"{taken} mails are said to be taken, {booked} were booked", wire)
    ambiguous = b"\r\n\r\n" in wire and {b"content-length", b"transfer-encoding"} <= _names(wire)
    if ambiguous and taken > 1:
        tally.wrong(f"{taken} mails of a request that can be read in two ways", wire)


def _names(wire: bytes) -> set[bytes]:
    """The fields of the first header."""
    lines = wire.partition(b"\r\n\r\n")[0].lower().splitlines()[1:]
    return {line.partition(b":")[0].strip() for line in lines}


def campaign(seed: int, seconds: float) -> Tally:
    tally = Tally()
    with besieged() as house:
        smuggler = Smuggler(house.path)
        for chance in rounds(seed, seconds, at_least=25):
            tally.count("connections")
            _one(house, smuggler, chance, tally)
            if tally.attacks["connections"] % 100 == 0:
                house.audit(tally, b"")
        house.audit(tally, b"")
        house.aftermath(tally)
    return tally

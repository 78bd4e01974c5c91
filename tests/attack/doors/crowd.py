"""Connections by the hundred that never finish, at each door of a daemon in turn.

What must be: while they drip, the wiki is answered, and honest peers at that door; nothing is left of them.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from sidecar.edges.http_listener import HttpLimits
from tests.attack.doors.besieged import MAIL, PATIENCE, TOKEN, Besieged, besieged, said
from tests.attack.tally import Tally, rounds

__all__ = ["campaign"]

MORE = 20  # connections beyond the limit of a door
#: door -> connections that it allows, what its drippers begin with, what an honest peer hears
DOORS: dict[str, tuple[int, tuple[bytes, ...], bytes]] = {
    "verp": (500, (b"", b"9", b"999:verp ", b"65536:", b"0:,"), b"OK wiki-enwiki-1-"),
    "policy": (500, (b"", b"request=smtpd_access_policy\n", b"a=" + b"x" * 4000), b"action=DUNNO\n\n"),
    "lmtp": (
        100,
        (b"", b"LHLO x\r\nMAIL FROM:<>\r\n", b"LHLO", b"LHLO x\r\n" + b"NOOP\r\n" * 9),
        b"250 2.0.0 Set aside",
    ),
    "http": (
        100,
        (
            b"",
            b"GET /hea",
            b"POST /sns HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{",
            b"POST / HTTP/1.1\r\nX: ",
        ),
        b"HTTP/1.1 200 OK",
    ),
}
DROP = 0.002  # seconds between two drops


def _honest(house: Besieged, door: str, number: int) -> bytes:
    """What somebody says who means it."""
    mail = MAIL.format(number=f"{door}-{number}")
    recipient = house.path
    match door:
        case "verp":
            return b"36:verp enwiki 1 somebody@example.org x,"
        case "policy":
            return f"request=smtpd_access_policy\nrecipient={recipient}\n\n".encode()
        case "lmtp":
            return f"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n{mail}.\r\nQUIT\r\n".encode()
    head = f"POST /bounces?recipient={recipient} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    return f"{head}Connection: close\r\nContent-Length: {len(mail)}\r\n\r\n{mail}".encode()


@contextmanager
def _crowd(house: Besieged, door: str, chance: Random) -> Iterator[list[socket.socket]]:
    limit, begins, _ = DOORS[door]
    peers = []
    try:
        for _ in range(limit + MORE):
            peers.append(house.door(door))
            with suppress(ConnectionError):
                peers[-1].sendall(chance.choice(begins))
        yield peers
    finally:
        for peer in peers:
            peer.close()


def _one(house: Besieged, door: str, chance: Random, tally: Tally) -> float:
    """Besiege a door, and ask there; how long the wiki waited for its answer, in seconds."""
    *_, wanted = DOORS[door]
    with _crowd(house, door, chance) as peers:
        end = time.monotonic() + 1.5 * HttpLimits().spare  # whoever came just now is spared, hostile or not
        while time.monotonic() < end:
            with suppress(ConnectionError):
                chance.choice(peers).sendall(b"x")
            time.sleep(DROP)
        began = time.monotonic()
        if door != "verp" and not house.ask("verp enwiki 1 somebody@example.org").startswith("OK "):
            tally.wrong(f"the wiki is not answered while {door} is besieged")
        waited = time.monotonic() - began
        with house.door(door) as client:
            heard = said(client, _honest(house, door, tally.attacks.total()), PATIENCE, wanted)
        if wanted not in heard:
            tally.wrong(f"{door} is kept from honest peers: {heard[-200:]!r}")
        tally.count(door, len(peers))
    return waited


def campaign(seed: int, seconds: float) -> Tally:
    tally, slowest = Tally(), 0.0
    with besieged() as house:
        for chance in rounds(seed, seconds):
            for door in DOORS:
                slowest = max(slowest, _one(house, door, chance, tally))
                house.audit(tally, door.encode())
        house.aftermath(tally)
    tally.remarks.append(f"the wiki waited {slowest * 1000:.0f} ms at most while another door was besieged")
    return tally

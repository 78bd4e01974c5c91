"""Peers that come to a door and say nothing, half of it, or too much, and that read nothing or vanish."""

import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Self

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.chaos.struck_node import StruckNode

__all__ = ["Peers", "Strangers"]

Door = Path | int  # a Unix socket, or a port on loopback

LONG = (0.2, 1.0)  # seconds
MANY = (5, 60)  # of them; LMTP takes a hundred, and the mail servers of the load have to get in
CALL = 0.2  # seconds for which one stranger waits at a door
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: no farewell, as from a host that vanished

#: What is said first, by the name of the door; all of them are halves, but for the last ones.
WORDS: dict[str, tuple[bytes, ...]] = {
    "lmtp": (b"", b"LHL", b"LHLO a\r\nMAIL FROM:<>\r\n", b"LHLO a\r\n" * 2000, b"\xff\0" * 5000),
    "verp": (b"", b"40:verp aawiki 1", b"999999999:", b"4:verp," * 3000),
    "policy": (b"", b"request=smtpd_access_policy\n", b"recipient=a\n" * 3000),
    "http": (
        b"", b"POST /bounces HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx", b"GET / HT",
        b"GET /healthz HTTP/1.1\r\n\r\n",
    ),
    "metrics": (b"", b"GET /met", b"GET /metrics HTTP/1.0\r\n\r\n"),
}  # fmt: skip


class Strangers:
    """Connections that stay until the context ends."""

    def __init__(self) -> None:
        self.inside: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for at, stranger in enumerate(self.inside):
            if at % 2:
                with suppress(OSError):
                    stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            stranger.close()

    @staticmethod
    def doors(node: StruckNode) -> list[tuple[str, Door]]:
        """All of them, by name."""
        folder = node.folder
        return [
            ("lmtp", node.lmtp), ("lmtp", node.port), ("verp", node.verp), ("policy", folder / "policy.sock"),
            ("http", node.http), ("metrics", node.metrics),
        ]  # fmt: skip

    def come_to(self, door: tuple[str, Door], words: bytes = b"") -> bool:
        """Whether anybody let it in."""
        _, where = door
        stranger = socket.socket(socket.AF_INET if isinstance(where, int) else socket.AF_UNIX)
        stranger.settimeout(CALL)
        try:
            stranger.connect(("127.0.0.1", where) if isinstance(where, int) else str(where))
        except OSError:
            stranger.close()
            return False
        self.inside.append(stranger)
        with suppress(OSError):
            stranger.sendall(words)  # who reads no answers is not read from either
        return True


class Peers:
    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        node = random.choice(house.nodes)
        number, ends = random.randint(*MANY), time.monotonic() + random.uniform(*LONG)
        with Strangers() as strangers:
            came = 0
            for _ in range(number):
                name, where = random.choice(strangers.doors(node))
                came += strangers.come_to((name, where), random.choice(WORDS[name]))
            deeds: list[Callable[[socket.socket], object]] = [
                lambda one: one.send(b"x"),  # it drips
                lambda one: one.shutdown(socket.SHUT_WR),  # it is half open
            ]
            while time.monotonic() < ends and strangers.inside:
                with suppress(OSError):
                    random.choice(deeds)(random.choice(strangers.inside))
                time.sleep(0.02)
        return Blow("strange peers", came > 0)

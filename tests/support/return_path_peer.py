"""A peer for the wiki's return-path socket: well-behaved or not, as the test wants it.

Knows netstrings and how peers misbehave. Signs nothing.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 10.0  # seconds; a misbehaving peer ends with the test at the latest
DRIBBLE = 0.02  # seconds between two octets: less than the extension's patience, in all far more

Behaviour = Callable[["ReturnPathPeer", socket.socket], None]


def netstring(text: str) -> bytes:
    octets = text.encode()
    return b"%d:%s," % (len(octets), octets)


class ReturnPathPeer:
    """Listens at *path* while entered, and does the same to every connection."""

    def __init__(self, path: Path, behaviour: Behaviour) -> None:
        self.questions: list[bytes] = []
        self.ended = threading.Event()
        self._path = path
        self._behaviour = behaviour
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._listener.close()
        self._path.unlink()

    def _serve(self) -> None:
        while not self.ended.is_set():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(PATIENCE)
                    self.questions.append(connection.recv(4096))
                    self._behaviour(self, connection)


def says(octets: bytes) -> Behaviour:
    """Answers this, and waits for the wiki to hang up."""

    def behave(_: ReturnPathPeer, connection: socket.socket) -> None:
        connection.sendall(octets)
        connection.recv(1)

    return behave


def answers(reply: str) -> Behaviour:
    return says(netstring(reply))


def dribbles(reply: str) -> Behaviour:
    """One octet at a time."""

    def behave(peer: ReturnPathPeer, connection: socket.socket) -> None:
        for octet in netstring(reply):
            connection.sendall(bytes([octet]))
            peer.ended.wait(DRIBBLE)

    return behave


def hangs_up(_: ReturnPathPeer, connection: socket.socket) -> None:
    """Closes without an answer."""


def is_silent(peer: ReturnPathPeer, connection: socket.socket) -> None:
    """Holds the connection open and says nothing."""
    peer.ended.wait(PATIENCE)

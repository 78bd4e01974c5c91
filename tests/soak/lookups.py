"""Questions at a Unix socket, and how long the answers took.

Knows netstrings and that a connection may be kept. Does not know what is asked.
"""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from statistics import quantiles

__all__ = ["Lookups"]

PATIENCE = 30.0  # seconds


class Lookups:
    """By one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path, self._kept = path, None
        self._lock = threading.Lock()
        self._took: list[float] = []
        self._kept: socket.socket | None

    def ask(self, question: str, *, keep: bool) -> str:
        """A netstring for a netstring; by a connection that is kept, or a new one."""
        octets = question.encode()
        if not keep:
            self._forget()
        begun = time.perf_counter()
        said = self.request(b"%d:%s," % (len(octets), octets), b",")
        with self._lock:
            self._took.append((time.perf_counter() - begun) * 1000)
        return said.decode().partition(":")[2].rstrip(",")

    def request(self, octets: bytes, end: bytes) -> bytes:
        """What is answered, up to its *end*. Raises OSError."""
        if self._kept is None:
            self._kept = socket.socket(socket.AF_UNIX)
            self._kept.settimeout(PATIENCE)
            self._kept.connect(str(self._path))
        try:
            self._kept.sendall(octets)
            said = b""
            while not said.endswith(end):
                more = self._kept.recv(4096)
                if not more:
                    raise ConnectionError("hung up")
                said += more
        except OSError:
            self._forget()
            raise
        return said

    def figures(self) -> dict[str, float]:
        """Milliseconds since the last time that somebody asked; nothing of fewer than two."""
        with self._lock:
            took, self._took = self._took, []
        if len(took) < 2:
            return {}
        cuts = quantiles(took, n=100, method="inclusive")
        return {"verp_p50_ms": cuts[49], "verp_p99_ms": cuts[98]}

    def _forget(self) -> None:
        if self._kept is not None:
            with suppress(OSError):
                self._kept.close()
        self._kept = None

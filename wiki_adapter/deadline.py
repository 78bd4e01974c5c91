"""An end to a request that never ends: requests' read timeout begins anew with every octet.

Knows sockets. Does not know what is asked, nor who asks again.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

__all__ = ["DeadlineAdapter"]


class DeadlineAdapter(HTTPAdapter):
    """Mounted on a session that one thread uses, for one request at a time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._socket: socket.socket | None = None  # of the connection that was opened last
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self._keep),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self._keep),
        }

    @contextmanager
    def running(self) -> Iterator[threading.Event]:
        """Cut the connection after ``seconds``, which fails the request somehow; the event says so."""
        cut = threading.Event()
        timer = threading.Timer(self.seconds, self._cut, (cut,))
        timer.daemon = True
        timer.start()
        try:
            yield cut
        finally:
            timer.cancel()

    def _keep(self, opened: socket.socket) -> None:
        self._socket = opened

    def _cut(self, cut: threading.Event) -> None:
        cut.set()
        if self._socket is not None:
            with suppress(OSError):
                # The descriptor's own shutdown: that of a TLS socket is not for another thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _pool(pool: type, connection: type, keep: Callable[[socket.socket], None]) -> type:
    """A connection pool that tells of each socket it opens."""

    def connect(self: Any) -> None:
        connection.connect(self)  # type: ignore[attr-defined]
        keep(self.sock)

    telling = type(connection.__name__, (connection,), {"connect": connect})
    return type(pool.__name__, (pool,), {"ConnectionCls": telling})

"""Metrics over HTTP, for Prometheus.

Knows where they are served, with those of the process (memory, processor, files, since when). Does not know
what is counted. The server is prometheus_client's own, in a thread of its own: who asks holds up nobody, and
is answered from memory while the event loop is busy or the database hangs.
"""

import threading
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from sidecar.edges.unix_socket import CannotListen
from sidecar.threads import Room

__all__ = ["MetricsServer"]


class MetricsServer:
    """Serves from ``listen`` to ``close``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        ProcessCollector(registry=registry)
        self._serving: tuple[WSGIServer, threading.Thread] | None = None

    def listen(self, host: str, port: int) -> int:
        """Returns the port, chosen by the system if 0 was asked for. Raises CannotListen."""
        try:
            self._serving = start_http_server(port, host, self._registry)
        except OSError as error:
            raise CannotListen(f"metrics at {host}:{port}: {error.strerror or error}") from None
        return self._serving[0].server_port

    async def close(self) -> None:
        """Repeatable."""
        if self._serving is None:
            return
        server, thread = self._serving
        self._serving = None
        room = Room("metrics")
        await room.run(server.shutdown)
        server.server_close()
        await room.run(thread.join)
        room.close()

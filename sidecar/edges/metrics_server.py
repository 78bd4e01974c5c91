"""Metrics over HTTP, for Prometheus.

Knows where they are served, with those of the process (memory, processor, files, since when), and what one
peer may cost. Does not know what is counted. The server has threads of its own: who asks holds up nobody, and
is answered from memory while the event loop is busy or the database hangs.
"""

import socket
import threading
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from sidecar.edges.unix_socket import CannotListen
from sidecar.threads import Room

__all__ = ["MetricsServer"]

CONNECTIONS = 16  # at once, a thread each; Prometheus has one
PATIENCE = 10.0  # seconds for a peer's next words, and for reading an answer
NO_ROOM = 1.0  # seconds until a connection is accepted again for which there was no descriptor or no memory

log = structlog.get_logger()


class MetricsServer:
    """Serves from ``listen`` to ``close``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        ProcessCollector(registry=registry)
        self._serving: tuple[_Server, threading.Thread] | None = None

    def listen(self, host: str, port: int) -> int:
        """Returns the port, chosen by the system if 0 was asked for. Raises CannotListen."""
        try:
            server = make_server(host, port, make_wsgi_app(self._registry), _kind(host, port), _Handler)
        except OSError as error:
            raise CannotListen(f"metrics at {host}:{port}: {error.strerror or error}") from None
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        self._serving = server, thread
        return server.server_port

    async def close(self) -> None:
        """Repeatable."""
        if self._serving is None:
            return
        server, thread = self._serving
        self._serving = None
        server.closing.set()
        room = Room("metrics")
        await room.run(server.shutdown)
        server.server_close()
        await room.run(thread.join)
        room.close()


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a connection, and so many of them; one more is hung up on."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self.closing = threading.Event()
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Without a descriptor, who waits goes on waiting: to look again at once would be all we do."""
        try:
            return super().get_request()
        except OSError:
            self.closing.wait(NO_ROOM)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # there is no thread to be had
            self._room.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that vanished or said nothing is no trouble of ours."""
        log.debug("metrics not told", exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing of requests."""

    def get_stderr(self) -> Any:
        """Where wsgiref would print what went wrong while it answered, beside the lines of our log."""
        return _Silence()


class _Silence:
    def write(self, text: str) -> None:
        log.debug("metrics not told", words=text)

    def flush(self) -> None:
        """There is nothing to."""


def _kind(host: str, port: int) -> type[_Server]:
    """For this address, of either family."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    return type("_Server", (_Server,), {"address_family": family})

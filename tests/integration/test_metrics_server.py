"""The metrics' door under strangers: who is silent, who is one too many, and a host without files."""

import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator

import pytest

from sidecar.edges import metrics_server
from sidecar.edges.metrics_server import MetricsServer
from sidecar.telemetry import Metrics
from tests.support.waiting import until

PATIENCE = 10.0  # seconds


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = MetricsServer(Metrics().registry)
    yield server.listen("127.0.0.1", 0)
    await server.close()


def told(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        return b"process_start_time_seconds" in answer.read()


async def test_who_says_nothing_is_hung_up_on(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server._Handler, "timeout", 0.05)
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as silent:
        assert silent.recv(1) == b""
    assert told(port)


@pytest.mark.slow
async def test_one_too_many_is_hung_up_on_and_there_is_room_once_the_others_have_left(port: int) -> None:
    others = [
        socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(metrics_server.CONNECTIONS)
    ]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as one_more:
        assert one_more.recv(1) == b""
    for other in others:
        other.close()

    def room() -> bool:
        try:
            return told(port)
        except OSError:
            return False

    until(room, "room")


#: A process of its own, that has no descriptor left; it counts how often it tries to accept within a second.
HUNGRY = """
import asyncio, os, resource, socket, socketserver, time
from sidecar.edges import metrics_server
from sidecar.telemetry import Metrics
tries = 0
accept = socketserver.TCPServer.get_request
def counted(self):
    global tries
    tries += 1
    return accept(self)
socketserver.TCPServer.get_request = counted
server = metrics_server.MetricsServer(Metrics().registry)
port = server.listen("127.0.0.1", 0)
peer = socket.socket()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
peer.connect(("127.0.0.1", port))
while not tries:
    time.sleep(0.01)
time.sleep(1)
print(tries)
"""


@pytest.mark.slow
def test_without_a_descriptor_nobody_looks_again_and_again() -> None:
    done = subprocess.run([sys.executable, "-c", HUNGRY], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert 1 <= int(done.stdout) <= 30, "a loop that does nothing else would come to thousands"


async def test_what_a_vanished_peer_leaves_is_no_line(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as peer:
        peer.sendall(b"GET /metrics HTTP/1.0\r\n")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert told(port)
    assert "Traceback" not in capfd.readouterr().err

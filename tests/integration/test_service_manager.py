"""What the service manager hears: with a real datagram socket, from the daemon itself."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from sidecar import daemon, host
from sidecar.edges.service_manager import ServiceManager
from tests.support.practice import configured, load


@pytest.fixture
def ear(tmp_path: Path) -> socket.socket:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)
        yield ear


async def heard(ear: socket.socket) -> bytes:
    async with asyncio.timeout(10):
        return await asyncio.get_running_loop().sock_recv(ear, 100)


@pytest.mark.slow
async def test_it_hears_when_we_serve_that_we_live_and_when_we_stop(
    ear: socket.socket, tmp_path: Path
) -> None:
    configured(tmp_path)
    world = daemon.World(manager=ServiceManager(ear.getsockname(), watchdog=0.02))
    stop = asyncio.Event()
    running = asyncio.create_task(daemon.run(load(tmp_path), world=world, stop=stop))
    words = {await heard(ear)}
    while not {b"READY=1", b"WATCHDOG=1"} <= words:
        words.add(await heard(ear))
    for _ in range(3):
        assert await heard(ear) == b"WATCHDOG=1"
    stop.set()
    while await heard(ear) != b"STOPPING=1":
        pass
    await running


@pytest.mark.slow
async def test_it_hears_that_we_reload_since_when_and_how_that_ended(
    ear: socket.socket, tmp_path: Path
) -> None:
    path = configured(tmp_path)
    world = daemon.World(manager=ServiceManager(ear.getsockname()), reread=lambda: host.load_config(path))
    running = asyncio.create_task(daemon.run(load(tmp_path), world=world))
    assert await heard(ear) == b"READY=1"
    for spoil, status in (("", b""), ("colour = 1\n", b"reload refused, all is as before; problems: 1")):
        path.write_text(spoil + path.read_text())
        before = time.monotonic_ns() // 1000
        os.kill(os.getpid(), signal.SIGHUP)
        word, _, since = (await heard(ear)).partition(b"\nMONOTONIC_USEC=")
        assert word == b"RELOADING=1"
        assert before <= int(since) <= time.monotonic_ns() // 1000
        assert await heard(ear) == b"READY=1\nSTATUS=" + status
    os.kill(os.getpid(), signal.SIGTERM)
    assert await heard(ear) == b"STOPPING=1"
    await running


def test_a_manager_that_is_gone_hinders_nothing(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "nobody")).tell("READY=1")
    ServiceManager().tell("READY=1")


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0bounce-sidecar-test-{os.getpid()}")
        ServiceManager(f"@bounce-sidecar-test-{os.getpid()}").tell("READY=1")
        assert ear.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    ("said", "watchdog"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_the_environment_says_who_listens_and_is_cleared(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], watchdog: float
) -> None:
    for name, value in {"NOTIFY_SOCKET": "/run/n", **said}.items():
        monkeypatch.setenv(name, value)
    assert host.service_manager() == ServiceManager("/run/n", watchdog)
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(os.environ)

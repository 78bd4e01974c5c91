"""Sockets that a service manager opened: read from the environment, used by their doors, left alone."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sidecar import host
from sidecar.edges.lmtp_server import LmtpServer
from sidecar.edges.passed_sockets import Kind, PassedSockets, WrongSocket
from sidecar.edges.policy_service import PolicyService
from sidecar.edges.replies import REPLIES
from sidecar.edges.unix_socket import UnixSocket
from sidecar.services.receipt import Receipt
from tests.integration.doors import Client, ScriptedIntake
from tests.integration.return_paths import ScriptedReturnPaths
from tests.support.practice import configured
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]

#: Becomes the daemon with sockets at 3 and up, as systemd starts a service: fork, arrange, exec.
START = """\
import fcntl, os, sys
numbers, names, *arguments = sys.argv[1:]
apart = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in numbers.split()]
for at, number in enumerate(apart):
    os.dup2(number, 3 + at)
count = str(len(names.split(":")))
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": count, "LISTEN_FDNAMES": names}
os.execv(sys.executable, [sys.executable, "-c", "from sidecar.cli import main; main()", *arguments])
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="passed-") as name:
        yield Path(name)


class Manager:
    """Holds sockets, and starts the daemon with them as often as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = configured(folder)
        self.sockets: dict[str, socket.socket] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def listen(self, name: str) -> Path:
        path = self.folder / f"{name}.passed"
        self.sockets[name] = socket.socket(socket.AF_UNIX)
        self.sockets[name].bind(str(path))
        path.chmod(0o640)
        self.sockets[name].listen(16)
        return path

    def start(self, names: str | None = None) -> "subprocess.Popen[bytes]":
        numbers = [one.fileno() for one in self.sockets.values()]
        command = [sys.executable, "-c", START, " ".join(map(str, numbers)), names or ":".join(self.sockets)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(self.config), "run"],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stderr=log,
                pass_fds=numbers,
            )
        return self.process

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def serving(self, times: int = 1) -> None:
        until(lambda: self.log().count("serving") >= times, "the daemon serves")

    def stop(self) -> None:
        """Repeatable."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)


@pytest.fixture
def manager(folder: Path) -> Iterator[Manager]:
    manager = Manager(folder)
    yield manager
    manager.stop()
    for one in manager.sockets.values():
        one.close()


def ask_policy(path: Path, recipient: str) -> socket.socket:
    """A client that has asked and not yet read."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(str(path))
    client.sendall(f"request=smtpd_access_policy\nrecipient={recipient}\n\n".encode())
    return client


@pytest.mark.slow
def test_who_asks_while_the_daemon_restarts_waits_and_is_answered(manager: Manager) -> None:
    policy, lmtp = manager.listen("policy"), manager.listen("lmtp")
    refusal = f"action={REPLIES[Receipt.NOT_OURS].policy}\n\n".encode()
    manager.start()
    manager.serving()
    with ask_policy(policy, "x@bounces.example.org") as client:
        assert client.recv(1000) == refusal
    manager.stop()
    with ask_policy(policy, "x@bounces.example.org") as waiting, socket.socket(socket.AF_UNIX) as mta:
        mta.settimeout(20)
        mta.connect(str(lmtp))
        manager.start()
        assert waiting.recv(1000) == refusal
        assert mta.recv(1000).startswith(b"220 ")
    assert not (manager.folder / "policy.sock").exists()
    assert (manager.folder / "verp.sock").exists()


@pytest.mark.slow
def test_of_those_who_ask_all_the_time_nobody_is_lost_over_restarts(manager: Manager) -> None:
    path = manager.listen("policy")
    manager.start()
    manager.serving()
    over = threading.Event()

    def ask_on() -> list[bytes]:
        heard = []
        while not over.is_set():
            with ask_policy(path, "x@elsewhere.example") as client:
                heard.append(client.recv(1000))
        return heard

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask_on) for _ in range(4)]
        try:
            for times in (2, 3, 4):
                manager.stop()
                manager.start()
                manager.serving(times)
        finally:
            over.set()
        heard = {answer for one in asking for answer in one.result()}
    assert heard == {b"action=DUNNO\n\n"}


@pytest.mark.slow
def test_a_passed_socket_keeps_its_file_and_mode(manager: Manager) -> None:
    path = manager.listen("verp")
    manager.start()
    manager.serving()
    manager.stop()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not (manager.folder / "lmtp.sock").exists()
    with socket.socket(socket.AF_UNIX) as client:
        assert client.connect_ex(str(path)) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("bounce-sidecar-policy.socket", "set FileDescriptorName= in its unit to one of: verp, lmtp, policy"),
        ("http", "'http' must be a TCP stream"),
        ("policy:policy", "no socket"),
    ],
)
def test_what_cannot_be_used_is_a_matter_of_configuration(manager: Manager, names: str, words: str) -> None:
    manager.listen("policy")
    assert manager.start(names).wait(20) == 78
    assert words in manager.log()
    assert "Traceback" not in manager.log()


def test_each_socket_is_taken_once_by_the_door_of_its_name_and_kind() -> None:
    with socket.socket(socket.AF_UNIX) as unix, socket.create_server(("127.0.0.1", 0)) as tcp:
        unix.bind("")  # a name of the kernel's choice
        unix.listen()
        passed = PassedSockets([("lmtp", unix), ("lmtp", tcp)])
        with pytest.raises(WrongSocket, match="'lmtp' was passed, but that door is not configured"):
            passed.check_taken()
        assert passed.take("verp") is None
        assert (passed.take("lmtp"), passed.take("lmtp", Kind.TCP)) == (unix, tcp)
        assert (passed.take("lmtp"), passed.take("lmtp", Kind.TCP)) == (None, None)
        passed.check_taken()


async def test_a_passed_tcp_socket_serves_lmtp_if_it_is_on_loopback() -> None:
    server = LmtpServer(ScriptedIntake())
    with socket.create_server(("127.0.0.1", 0)) as near, socket.create_server(("0.0.0.0", 0)) as open_to_all:
        with pytest.raises(WrongSocket, match=r"on 0\.0\.0\.0: LMTP is served on loopback addresses only"):
            await server.serve_tcp(open_to_all)
        await server.serve_tcp(near)
        client = await Client(*await asyncio.open_connection(*near.getsockname())).hello()
        await client.hand_in("one@b")
        assert await client.hear() == [REPLIES[Receipt.TAKEN].lmtp]
        client.writer.close()
        await server.close(grace=1)


async def test_a_passed_socket_may_have_an_abstract_name() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # a name of the kernel's choice
        listener.listen()
        name = listener.getsockname()
        server = PolicyService(ScriptedReturnPaths())
        await server.serve(UnixSocket.passed(listener))
        client = socket.socket(socket.AF_UNIX)  # uvloop would not ask for such a name
        client.connect(name)
        reader, writer = await asyncio.open_unix_connection(sock=client)
        writer.write(b"request=smtpd_access_policy\nrecipient=\n\n")
        assert await reader.readuntil(b"\n\n") == b"action=DUNNO\n\n"
        writer.close()
        await server.close()


def test_a_socket_of_the_wrong_kind_is_told_what_its_unit_should_say() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        with pytest.raises(WrongSocket, match="'policy' must be a Unix stream"):
            PassedSockets([("policy", tcp)])
        with pytest.raises(WrongSocket, match="'policy' must be a Unix stream"):
            PassedSockets([("policy", datagrams)])
        with pytest.raises(WrongSocket, match="Accept=no"):
            PassedSockets([("policy", connection)])
        with pytest.raises(WrongSocket, match="two TCP sockets named 'http'"):
            PassedSockets([("http", tcp), ("http", tcp)])


def test_what_is_meant_for_another_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "policy"}.items():
        monkeypatch.setenv(name, value)
    host.passed_sockets().check_taken()
    assert not [name for name in os.environ if name.startswith("LISTEN_")]


@pytest.mark.parametrize(("number", "names"), [("x", "policy"), ("0", ""), ("2", "policy"), ("-1", "")])
def test_an_environment_that_does_not_fit_together_is_refused(
    monkeypatch: pytest.MonkeyPatch, number: str, names: str
) -> None:
    for name, value in {"PID": str(os.getpid()), "FDS": number, "FDNAMES": names}.items():
        monkeypatch.setenv(f"LISTEN_{name}", value)
    with pytest.raises(WrongSocket, match="do not fit together"):
        host.passed_sockets()

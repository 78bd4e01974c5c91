"""Who answers lookups, and the program that asks them: our daemon, PostSRSd 1, PostSRSd 2.

Knows how each is started and asked. Does not know what the figures mean.
"""

import json
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sidecar
from tests.bench.figures import OURS
from tests.bench.house import House, cpu_seconds
from tests.support.debs import DownloadFailed, unpacked
from tests.support.places import free_port
from tests.support.process_group import ProcessGroup
from tests.support.sidecar import is_served
from tests.support.waiting import until

__all__ = ["PROCESSES", "Answered", "Server", "compiled", "load", "our_server", "postsrsds"]

PROCESSES = "processes"  # ours, with processes that sign and do nothing else
SOURCE = Path(__file__).with_name("load.c")
PATIENCE = 120.0  # seconds for a pass
DOMAIN = "bounces.example.org"
SECRET = "a secret of the bench, long enough\n"
CONFIG = """\
domains = {{}}
srs-domain = "{domain}"
socketmap = unix:{folder}/srs.sock
unprivileged-user = ""
chroot-dir = ""
secrets-file = "{folder}/secret"
"""


@dataclass(frozen=True)
class Server:
    """Somebody who answers lookups."""

    name: str
    version: str
    address: str  #: a path, or host:port
    protocol: str  #: socketmap or tcp_table
    question: str  #: # is a number that changes
    cpu: Callable[[], float]  #: seconds on processors so far


@dataclass(frozen=True)
class Answered:
    """One pass of load.c."""

    rate: float  #: answers a second
    p50: float  #: microseconds
    p99: float
    p999: float
    cpu: float  #: microseconds of the server's processor time for an answer


def compiled(folder: Path) -> Path:
    """The load generator, made by cc. Raises CalledProcessError or FileNotFoundError."""
    program = folder / "load"
    subprocess.run(["cc", "-O2", "-o", str(program), str(SOURCE)], check=True, timeout=PATIENCE)
    return program


def load(program: Path, server: Server, connections: int, depth: int, seconds: float) -> Answered:
    """One pass; blocks. Raises RuntimeError if an answer was wrong or a connection was lost."""
    before = server.cpu()
    words = [server.address, server.protocol, str(connections), str(depth), str(seconds), server.question]
    done = subprocess.run([str(program), *words], capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise RuntimeError(f"{server.name}: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    if told["wrong"]:
        raise RuntimeError(f"{server.name}: {told['wrong']} of {told['answers']} answers were no good")
    cpu = (server.cpu() - before) / told["answers"] * 1e6
    return Answered(told["answers"] / told["seconds"], told["p50"], told["p99"], told["p999"], cpu)


def our_server(house: House) -> Server:
    """The daemon's VERP socket."""
    version, question = f"bounce-sidecar {sidecar.__version__}", "verp enwiki # user#@example.net"
    if house.processes:
        version += f", {house.processes} processes"
    name = PROCESSES if house.processes else OURS
    return Server(name, version, house.verp_socket, "socketmap", question, house.cpu)


@contextmanager
def postsrsds() -> Iterator[list[Server]]:
    """Those that are here: Debian's, which is fetched, and whichever is on the PATH, if that is version 2."""
    with tempfile.TemporaryDirectory(prefix="bounce-bench-") as place:
        folder, groups = Path(place), []
        (folder / "secret").write_text(SECRET)
        try:
            servers = []
            for start in (_debian, _on_path):
                if found := start(folder):
                    groups.append(found[0])
                    servers.append(found[1])
            yield servers
        finally:
            for group in groups:
                group.end()


def _debian(folder: Path) -> tuple[ProcessGroup, Server] | None:
    try:
        program = unpacked("postsrsd", ["postsrsd"]) / "usr/sbin/postsrsd"
    except DownloadFailed as trouble:
        print(f"Debian's PostSRSd is left out: {trouble}")
        return None
    forward, back = free_port(), free_port()
    command = [
        str(program),
        f"-s{folder}/secret",
        f"-d{DOMAIN}",
        "-4",
        "-l127.0.0.1",
        f"-f{forward}",
        f"-r{back}",
    ]
    return _started("postsrsd-1", _version(program), command, f"127.0.0.1:{forward}", "tcp_table", folder)


def _on_path(folder: Path) -> tuple[ProcessGroup, Server] | None:
    program = shutil.which("postsrsd")
    version = _version(Path(program)) if program else ""
    if not program or not version.startswith("PostSRSd 2"):
        print("PostSRSd 2 is left out: no postsrsd of that version is on the PATH; Debian 12 has version 1")
        return None
    (folder / "conf").write_text(CONFIG.format(domain=DOMAIN, folder=folder))
    command = [program, "-C", f"{folder}/conf"]
    return _started("postsrsd-2", version, command, f"{folder}/srs.sock", "socketmap", folder)


def _started(
    name: str, version: str, command: list[str], address: str, protocol: str, folder: Path
) -> tuple[ProcessGroup, Server]:
    group = ProcessGroup(command, folder / f"{name}.log", {})
    until(lambda: _answers(address), f"{name} at {address}")
    question = "get user#@example.net" if protocol == "tcp_table" else "forward user#@example.net"
    return group, Server(name, version, address, protocol, question, lambda: cpu_seconds(group.pid))


def _answers(address: str) -> bool:
    if address.startswith("/"):
        return is_served(Path(address))
    host, _, port = address.partition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), PATIENCE):
        return True
    return False


def _version(program: Path) -> str:
    said = subprocess.run([str(program), "-v"], capture_output=True, text=True, timeout=PATIENCE)
    found = re.search(r"\d+\.\d+(\.\d+)?", said.stdout + said.stderr)
    return f"PostSRSd {found[0]}" if found else "PostSRSd"

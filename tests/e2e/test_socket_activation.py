"""The real systemd hands sockets over, and the units in deploy/ are what it understands."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.edges.replies import REPLIES
from sidecar.edges.socketmap import netstring
from sidecar.services.receipt import Receipt
from tests.support.debs import DownloadFailed, unpacked
from tests.support.places import missing
from tests.support.practice import configured
from tests.support.waiting import until

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy/bounce-sidecar.service"
GENERATOR = ROOT / "deploy/bounce_sidecar_generator.py"
PROGRAMS = ["usr/bin/systemd-socket-activate", "usr/bin/systemd-analyze"]
DAEMON = [sys.executable, "-c", "from sidecar.cli import main; main()"]


@pytest.fixture(scope="session")
def systemd() -> Path:
    """The folder of Debian's programs, unpacked."""
    try:
        return unpacked("systemd", ["systemd", "libsystemd-shared"], PROGRAMS) / "usr/bin"
    except DownloadFailed as trouble:
        missing(f"systemd: {trouble}")


@pytest.fixture
def started(systemd: Path, short_folder: Path) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """The daemon, as soon as the first peer connects to one of three sockets of systemd's."""
    paths = [short_folder / name for name in ("verp", "lmtp", "policy")]
    config = configured(short_folder)
    with (short_folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                str(systemd / "systemd-socket-activate"),
                *(f"--listen={path}" for path in paths),
                "--fdname=verp:lmtp:policy",
                "--setenv=PYTHONPATH",
                *DAEMON,
                *("--config", str(config), "run"),
            ],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    until(lambda: all(path.exists() for path in paths), "the sockets")
    yield [process]
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def connected(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(30)
    until(lambda: peer.connect_ex(str(path)) == 0, f"{path} listens")
    return peer


def test_the_first_peer_starts_the_daemon_and_each_socket_is_its_doors(
    started: list["subprocess.Popen[bytes]"], short_folder: Path
) -> None:
    with connected(short_folder / "verp") as wiki, connected(short_folder / "lmtp") as mta:
        wiki.sendall(netstring("bounce x@bounces.example.org"))
        assert wiki.recv(1000) == netstring(REPLIES[Receipt.NOT_OURS].socketmap)
        assert mta.recv(1000).startswith(b"220 ")
    with connected(short_folder / "policy") as mta:
        mta.sendall(b"request=smtpd_access_policy\nrecipient=x@elsewhere.example\n\n")
        assert mta.recv(1000) == b"action=DUNNO\n\n"
    assert not [name for name in ("verp.sock", "lmtp.sock") if (short_folder / name).exists()]
    [process] = started
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert (short_folder / "policy").is_socket()


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The service, and the sockets that the generator makes of the example."""
    folder = tmp_path / "units"
    folder.mkdir()
    program = GENERATOR.read_text().replace(
        "/etc/bounce-sidecar/config.toml", str(ROOT / "deploy/config.toml")
    )
    subprocess.run([sys.executable, "-IS", "-", folder], input=program, text=True, check=True)
    service = folder / UNIT.name
    service.write_text(UNIT.read_text().replace("/usr/local/bin/bounce-sidecar", "/bin/true"))
    return sorted(folder.glob("*.s*[te]"))


def test_systemd_understands_every_line_of_the_units(systemd: Path, units: list[Path]) -> None:
    doors = [unit.stem.removeprefix("bounce-sidecar-") for unit in units if unit.suffix == ".socket"]
    assert doors == ["lmtp", "policy", "verp"]
    done = subprocess.run(
        [systemd / "systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "bounce-sidecar" in line]
    assert (done.returncode, complaints) == (0, [])


def test_systemd_finds_the_service_confined(systemd: Path, units: list[Path]) -> None:
    [service] = [unit for unit in units if unit.suffix == ".service"]
    done = subprocess.run(
        [systemd / "systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", service],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout  # 20 is an exposure of 2.0

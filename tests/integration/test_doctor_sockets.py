"""doctor and a running daemon: its sockets as the web server's and the mail server's users find them."""

import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar import __version__
from sidecar.domain.finding import Finding, State
from tests.support.doctor import about, bad, examined
from tests.support.practice import KEY, configured
from tests.support.sidecar import is_served
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")

OK, WARN, WRONG, UNKNOWN = State.OK, State.WARN, State.WRONG, State.UNKNOWN
NAMES = ("verp", "lmtp", "policy", "socketmap")
GROUPS = '[sockets]\nverp_group = "www-data"\nmta_group = "mail"\nsocketmap = "socketmap.sock"'


class House:
    """A daemon in a folder that everybody may enter, its user being root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = configured(folder)
        path.write_text(path.read_text().replace("[sockets]", GROUPS))
        self.sockets = {name: folder / f"{name}.sock" for name in NAMES}
        program = [sys.executable, "-c", "from sidecar.cli import main; main()"]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen([*program, "--config", str(path), "run"], stderr=log)
        until(lambda: all(map(is_served, self.sockets.values())), "the daemon's sockets")

    def stop(self) -> None:
        """Repeatable."""
        self._process.terminate()
        self._process.wait()


@pytest.fixture(scope="module")
def shared_house() -> Iterator[House]:
    """Its path is short enough for sockets, and under /var/tmp: pytest's own folders let nobody in."""
    folder = Path(tempfile.mkdtemp(prefix="doctor-", dir="/var/tmp"))
    folder.chmod(0o755)
    house = House(folder)
    yield house
    house.stop()
    shutil.rmtree(folder)


@pytest.fixture
def house(shared_house: House) -> Iterator[House]:
    """As it was before."""
    config = (shared_house.folder / "config.toml").read_text()
    yield shared_house
    (shared_house.folder / "config.toml").write_text(config)
    (shared_house.folder / "verp.keys").write_text(KEY + "\n")
    shared_house.folder.chmod(0o755)
    for name, path in shared_house.sockets.items():
        shutil.chown(path, group="www-data" if name == "verp" else "mail")
        path.chmod(0o660)


def found(house: House, *words: str, user: str = "root") -> list[Finding]:
    return about("sockets", examined(house.folder, "--user", user, *words))


@pytest.mark.slow
def test_sockets_that_are_well(house: House) -> None:
    lines = [one.what for one in found(house)]
    assert lines[0] == "the daemon listens on the sockets of the configuration"
    who = {"verp": "www-data"}
    connects = [f"{who.get(name, 'mail')} may connect to {path}" for name, path in house.sockets.items()]
    answers = [f"{path} answers" for path in house.sockets.values()]
    assert lines[1:] == connects + answers


@pytest.mark.slow
def test_nothing_was_signed_refused_or_booked_by_being_asked(house: House) -> None:
    found(house)
    log = (house.folder / "log").read_text()
    assert "serving" in log
    assert not [line for line in log.splitlines() if "refused" in line or "notice" in line]
    (mail,) = about("mail", examined(house.folder))
    assert (mail.state, "no mail was ever signed" in mail.what) == (UNKNOWN, True)


@pytest.mark.slow
def test_the_daemon_was_seen_with_its_version(house: House) -> None:
    until(lambda: about("daemon", examined(house.folder)), "the daemon to say that it lives")
    (line,) = about("daemon", examined(house.folder))
    assert (line.state, line.what.endswith(f"version {__version__}")) == (OK, True)


@pytest.mark.slow
def test_a_socket_of_another_group(house: House) -> None:
    shutil.chown(house.sockets["verp"], group="games")
    (line,) = bad(found(house))
    path = house.sockets["verp"]
    assert line.state is WRONG
    assert line.what == (f"{path} may not be opened for www-data: it has mode 0660 and the group games")
    assert 'set [sockets] verp_group = "www-data"' in line.remedy


@pytest.mark.slow
def test_a_folder_on_the_way_that_lets_nobody_through(house: House) -> None:
    house.folder.chmod(0o700)
    lines = bad(found(house))
    assert len(lines) == len(NAMES)
    assert lines[0].what == f"www-data may not enter {house.folder}, in which {house.sockets['verp']} lies"
    assert lines[0].remedy == f"chgrp www-data {house.folder} && chmod g+x {house.folder}"


@pytest.mark.slow
def test_a_socket_that_is_open_to_everybody(house: House) -> None:
    house.sockets["lmtp"].chmod(0o666)
    (line,) = bad(found(house))
    assert (line.state, line.what) == (WARN, f"everybody on this host may connect to {house.sockets['lmtp']}")


@pytest.mark.slow
def test_another_user_of_php(house: House) -> None:
    (line,) = bad(found(house, "--web-user", "games"))
    assert (line.state, "for games" in line.what) == (WRONG, True)
    (line,) = bad(found(house, "--web-user", "no-such-user"))
    assert (line.state, "--web-user" in line.remedy) == (UNKNOWN, True)


def test_no_group_at_all(house: House) -> None:
    file = house.folder / "config.toml"
    file.write_text(file.read_text().replace('verp_group = "www-data"', ""))
    (line,) = bad(found(house))
    assert (line.state, line.remedy) == (WRONG, "set [sockets] verp_group to the group of the web server")


@pytest.mark.slow
def test_keys_that_the_daemon_has_not_read_yet(house: House) -> None:
    (house.folder / "verp.keys").write_text(KEY[::-1] + "\n")
    (line,) = bad(found(house))
    assert (line.state, "the daemon has other keys or wikis" in line.what) == (WRONG, True)
    assert line.remedy.startswith("systemctl reload bounce-sidecar")


class Stranger(socketserver.StreamRequestHandler):
    """Has words of its own for everybody."""

    def handle(self) -> None:
        self.request.recv(1000)
        self.wfile.write(b"-ERR unknown command")


def test_somebody_else_who_listens(house: House) -> None:
    file, other = house.folder / "config.toml", house.folder / "other.sock"
    with socketserver.ThreadingUnixStreamServer(str(other), Stranger) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        shutil.chown(other, group="www-data")
        other.chmod(0o660)
        file.write_text(file.read_text().replace("[sockets]", '[sockets]\nverp = "other.sock"'))
        (line,) = bad(found(house))
        server.shutdown()
    other.unlink()
    assert line.state is WRONG
    assert line.what == f"{other} does not answer as the sidecar does: -ERR unknown command"


@pytest.mark.slow
@pytest.mark.parametrize("stale", [True, False])
def test_a_daemon_that_is_down_is_one_line_and_not_many(short_folder: Path, stale: bool) -> None:
    path = configured(short_folder)
    path.write_text(path.read_text().replace("[sockets]", GROUPS))
    if stale:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(short_folder / "verp.sock"))
    line, later = about("sockets", examined(short_folder))
    assert (line.state, "the daemon is down" in line.what) == (WRONG, True)
    assert "systemctl start bounce-sidecar" in line.remedy
    assert (later.state, "not looked at" in later.what) == (UNKNOWN, True)
    assert {one.subject for one in examined(short_folder)} >= {"secrets", "wiki enwiki"}

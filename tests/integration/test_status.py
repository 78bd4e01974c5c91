"""`bounce-sidecar status`: a real daemon, a real history, a disk that is full, a server that says nothing."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from sidecar import daemon, host
from sidecar.domain.vitals import Ailment, NodeSign
from sidecar.services.vitals import PATIENCE, HostSigns
from sidecar.storage import circuits, nodes, rates
from sidecar.storage.circuits import Standing
from sidecar.storage.database import Database
from tests.support.daemon_here import serving
from tests.support.desk import say
from tests.support.places import missing
from tests.support.practice import KEY, WIKI, configured, load, start_once

NOW = datetime.now(UTC)
HERE = NodeSign("mx1", "issue, take, act", "0.1.0", NOW - timedelta(days=9), NOW, synchronised=True)
NOBODY = 65534
MORE = """
[node]
name = "mx1"
[alarms]
ignore = ["clock"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A sidecar that was started once, long ago."""
    path = configured(tmp_path)
    path.write_text(path.read_text() + MORE)
    start_once(tmp_path)
    return tmp_path


@pytest.fixture
def listening(desk: Path) -> Iterator[None]:
    """As if a daemon were there: its sockets are."""
    listen = load(desk).listen
    sockets = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for one, path in zip(sockets, (listen.verp, listen.lmtp), strict=True):
        one.bind(str(path))
        one.listen()
    write(desk, lambda c: nodes.put(c, replace(HERE, seen=datetime.now(UTC))))
    yield
    for one in sockets:
        one.close()


def write(desk: Path, *works: Callable[[sa.Connection], object]) -> None:
    async def run() -> None:
        database = Database(f"sqlite:///{desk}/history.db")
        await database.open()
        for work in works:
            await database.write(work)
        await database.close()

    asyncio.run(run())


def told(desk: Path) -> tuple[int, dict[str, str]]:
    """The exit code, and the troubles with their words."""
    result = say(desk, "status", "--json")
    facts: dict[str, Any] = json.loads(result.output)
    assert facts["exit_code"] == result.exit_code
    return result.exit_code, {one["kind"]: one["what"] for one in facts["troubles"]}


@pytest.mark.slow
async def test_a_daemon_that_runs_is_well_and_one_that_was_stopped_is_missed(tmp_path: Path) -> None:
    path = configured(tmp_path)
    path.write_text(path.read_text() + MORE)
    config = load(tmp_path)
    signs = HostSigns(host.now, lambda: 2**40, lambda: True, "mx1")
    async with serving(config, daemon.World(host_signs=signs)):
        while not (result := await asyncio.to_thread(say, tmp_path, "status")).output.count("mx1"):
            await asyncio.sleep(0.05)
    first, _, *rest = result.output.splitlines()
    assert (result.exit_code, first) == (0, "BOUNCE-SIDECAR OK - last mail signed never, last bounce never")
    assert "canary:           off: [canary] smtp" in rest
    assert "wikis in trouble: none" in rest
    exit_code, troubles = await asyncio.to_thread(told, tmp_path)
    assert exit_code == 2
    assert troubles == {"no-daemon": f"No daemon is running: nobody listens on {tmp_path}/verp.sock"}


@pytest.mark.usefixtures("listening")
def test_one_line_for_nagios_and_more_behind_it(desk: Path) -> None:
    write(desk, lambda c: rates.add_signed(c, "mx1", {(WIKI, NOW.date()): 1200}))
    result = say(desk, "status", "--nagios")
    assert result.exit_code == 0
    [line] = result.output.splitlines()
    words, _, numbers = line.partition(" | ")
    assert words == "BOUNCE-SIDECAR OK - last mail signed never, last bounce never"
    assert numbers.startswith("troubles=0 waiting=0 held=0 aside=0 brakes=0 signed=1200 free=")
    why = "said | so\x1b[2J"
    write(desk, lambda c: circuits.put(c, Standing(WIKI, 1, None, why, NOW, trouble="login", since=NOW)))
    result = say(desk, "status", "--nagios")
    line, other = result.output.splitlines()
    assert result.exit_code == 2
    assert line.startswith("BOUNCE-SIDECAR CRITICAL - enwiki: said / so\\x1b[2J | troubles=1 ")
    assert other.startswith("wiki-login: enwiki: said / so\\x1b[2J. Make a new bot password")


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("ailment", "kind"),
    [(Ailment.LOGIN, "wiki-login"), (Ailment.CERTIFICATE, "wiki-certificate")],
)
def test_what_a_wiki_suffers_from_is_named_with_what_to_do(desk: Path, ailment: Ailment, kind: str) -> None:
    login = load(desk).wikis[0].login
    row = Standing(WIKI, 2, NOW, "it said no", NOW, login, str(ailment), NOW - timedelta(minutes=5))
    write(desk, lambda c: circuits.put(c, row))
    assert told(desk) == (2, {kind: "enwiki: it said no"})
    write(desk, lambda c: circuits.put(c, replace(row, credential="of an older password")))
    assert told(desk) == (0, {}), "a new password may be a good one"


@pytest.mark.usefixtures("listening")
def test_silence_and_a_clock_that_nobody_keeps_are_warnings(desk: Path) -> None:
    ignored = desk / "config.toml"
    ignored.write_text(ignored.read_text().replace('["clock"]', "[]"))
    signed = replace(HERE, name="mx2", seen=datetime.now(UTC), signed=NOW, synchronised=False)
    days: dict[tuple[str, date], int] = {(WIKI, NOW.date()): 500, (WIKI, NOW.date() - timedelta(days=3)): 1}
    write(desk, lambda c: nodes.put(c, signed), lambda c: rates.add_signed(c, "mx2", days))
    exit_code, troubles = told(desk)
    assert exit_code == 1
    assert troubles["silence"] == "500 mails were signed, and no bounce was seen ever"
    assert troubles["clock"] in {f"The clock of {name} is not synchronised" for name in ("mx1", "mx2")}


def test_without_a_configuration_nothing_is_known(tmp_path: Path) -> None:
    result = say(tmp_path, "status")
    assert result.exit_code == 3
    assert result.output == (
        f"BOUNCE-SIDECAR UNKNOWN - {tmp_path}/config.toml: cannot be read: No such file or directory\n"
    )
    (tmp_path / "config.toml").write_text("[verp]\nnonsense = 1\n")
    first, *others = say(tmp_path, "status").output.splitlines()
    assert first.startswith("BOUNCE-SIDECAR UNKNOWN - ")
    assert others


def test_without_a_database_it_says_so_and_makes_none(tmp_path: Path) -> None:
    configured(tmp_path)
    exit_code, troubles = told(tmp_path)
    assert exit_code == 2
    assert troubles["database"].startswith("There is no database: there is no history yet: ")
    assert "nobody listens" in troubles["no-daemon"]
    assert not (tmp_path / "history.db").exists()


def test_a_node_that_only_issues_tells_of_itself(tmp_path: Path) -> None:
    (tmp_path / "verp.keys").touch(0o600)
    (tmp_path / "verp.keys").write_text(KEY)
    path = tmp_path / "config.toml"
    path.write_text(
        f'[node]\nroles = ["issue"]\n[verp]\ndomain = "b.example"\n[sockets]\ndirectory = "{tmp_path}"\n'
        f'[alarms]\nignore = ["clock"]\n[[wikis]]\nid = "{WIKI}"\n'
    )
    assert told(tmp_path)[1].keys() == {"no-daemon"}
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "verp.sock"))
        door.listen()
        result = say(tmp_path, "status")
    assert result.exit_code == 0
    assert "ask a node that takes bounces" in result.output


@pytest.mark.slow
def test_a_server_that_takes_connections_and_says_nothing_is_not_waited_for(desk: Path) -> None:
    path = desk / "config.toml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mariadb+pymysql://sidecar@127.0.0.1:{silent.getsockname()[1]}/history"
        path.write_text(path.read_text().replace(f"sqlite:///{desk}/history.db", url))
        result = subprocess.run(_command(desk), capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 2
    assert f"The database does not answer within {PATIENCE:g} s" in result.stdout


def _command(desk: Path) -> list[str]:
    program = Path(__file__).parents[2] / ".venv/bin/bounce-sidecar"
    return [str(program), "--config", str(desk / "config.toml"), "status", "--nagios"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if os.getuid() != 0:
        missing("a small disk: only root may mount it")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "bounce-sidecar-test", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 65536):
            pass


def test_a_full_disk_and_one_that_is_read_only_are_named(disk: Path) -> None:
    path = configured(disk)
    start_once(disk)
    fill(disk / "ballast")
    exit_code, troubles = told(disk)
    assert exit_code == 2
    assert troubles["disk-full"] == f"0 MiB are free on the disk of the database of {socket.gethostname()}"
    assert troubles["database"].startswith("The database cannot be written: ")
    (disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    _, troubles = told(disk)
    assert "readonly database" in troubles["database"]
    assert path.exists()


def test_help_names_the_exit_codes(desk: Path) -> None:
    result: Result = say(desk, "status", "--help")
    assert "3 the configuration cannot be" in " ".join(result.output.split())


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize("mode", [0o755, 0o750], ids=["read alone", "nothing"])
def test_whoever_may_not_write_the_database_is_told_so_and_not_that_it_is_broken(mode: int) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:  # a folder that others may enter
        desk, data = Path(name), Path(name) / "data"
        desk.chmod(0o755)
        data.mkdir()
        start_once(data)
        path = configured(desk)
        path.write_text(path.read_text().replace(f"{desk}/history.db", f"{data}/history.db") + MORE)
        for file in ("verp.keys", "bot.password"):
            os.chown(desk / file, 0, NOBODY)
            (desk / file).chmod(0o640)
        data.chmod(mode)
        assert say(desk, "status").exit_code != 3
        exit_code, said = as_nobody(lambda: say(desk, "status"))
        wanted = f"{data}/history.db may not be written by this user: ask as root or as the sidecar's user"
        assert (exit_code, said) == (3, f"BOUNCE-SIDECAR UNKNOWN - {wanted}\n")
        exit_code, said = as_nobody(lambda: say(desk, "status", "--json"))
        assert json.loads(said) == {"status": "unknown", "exit_code": 3, "problems": [wanted]}


def as_nobody(ask: Callable[[], Result]) -> tuple[int, str]:
    """The exit code and the words, as another user of this host hears them."""
    with tempfile.TemporaryFile("w+") as heard:
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            result = ask()
            heard.write(result.output)
            heard.flush()
            os._exit(result.exit_code)
        exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        heard.seek(0)
        return exit_code, heard.read()

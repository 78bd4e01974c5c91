"""What lies in deploy/ says what the program says: sockets, example, version, manual."""

import importlib.util
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sidecar import __version__
from sidecar.configuration.config import parse
from sidecar.configuration.settings import Settings
from sidecar.domain.policy import Mode
from sidecar.edges.passed_sockets import DOORS

DEPLOY = Path(__file__).parents[2] / "deploy"
GENERATOR = DEPLOY / "bounce_sidecar_generator.py"
VERP = '[verp]\ndomain = "bounces.example.org"\n'

found = importlib.util.spec_from_file_location("generator", GENERATOR)
assert found is not None
assert found.loader is not None
generator = importlib.util.module_from_spec(found)
found.loader.exec_module(generator)

SOCKETS = [
    "",
    '[sockets]\nverp_group = "www-data"\nmta_group = "postfix"\n',
    '[sockets]\nmta_directory = "/var/spool/postfix/bounce-sidecar"\nmta_group = "postfix"\n',
    '[sockets]\ndirectory = "/run/other"\nlmtp = "in.sock"\nsocketmap = "map.sock"\n',
    '[sockets]\nverp = "/srv/wiki/verp.sock"\npolicy = "/srv/a b/100%.sock"\n',
]


def lines(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit, flags=re.MULTILINE)


@pytest.mark.parametrize("text", SOCKETS)
def test_systemd_listens_where_the_daemon_would(text: str) -> None:
    wanted = Settings(**tomllib.loads(VERP + text)).sockets
    made = dict(generator.units(VERP + text))
    paths = {lines(unit, "FileDescriptorName")[0]: lines(unit, "ListenStream") for unit in made.values()}
    assert paths == {door: [str(path).replace("%", "%%")] for door, path in wanted.paths().items()}
    assert set(paths) <= set(DOORS)
    for name, unit in made.items():
        [door] = lines(unit, "FileDescriptorName")
        assert name == f"bounce-sidecar-{door}.socket"
        group = wanted.verp_group if door == "verp" else wanted.mta_group
        assert lines(unit, "SocketGroup") == ([group] if group else [])


@pytest.mark.parametrize(
    ("roles", "doors"),
    [('["issue"]', {"verp"}), ('["take", "act"]', {"lmtp", "policy"}), ('["act"]', set())],
)
def test_a_node_gets_the_sockets_of_its_roles(roles: str, doors: set[str]) -> None:
    made = dict(generator.units(f"[node]\nroles = {roles}\n{VERP}"))
    assert {lines(unit, "FileDescriptorName")[0] for unit in made.values()} == doors


@pytest.mark.parametrize(
    "text",
    [
        '[sockets]\nverp_group = "a\\nExecStartPre=/bin/false"\n',
        '[sockets]\nlmtp = "a\\u0000b"\n',
        "[sockets]\nverp = 7\n",
        "sockets = 7\n",
        "[sockets\n",
    ],
)
def test_what_cannot_stand_in_a_unit_makes_none_and_is_told(text: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    program = GENERATOR.read_text().replace("/etc/bounce-sidecar/config.toml", str(config))
    done = subprocess.run(
        [sys.executable, "-IS", "-", str(tmp_path / "units")],
        input=program,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "bounce-sidecar: no sockets are opened by systemd" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "units").exists()


def test_the_generator_can_be_started() -> None:
    assert GENERATOR.stat().st_mode & stat.S_IXOTH
    assert (DEPLOY / "debian/rules").stat().st_mode & stat.S_IXUSR


def test_the_example_is_a_configuration() -> None:
    secrets = {
        "verp.keys": b"k7Hq2ZfW9sXc4Vb1Nm8Lp3Tj6Ry5Gd0aEuIo",
        "bot.password": b"0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p",
    }
    config = parse((DEPLOY / "config.toml").read_text(), secrets.__getitem__)
    assert [policy.mode for policy in config.policies.values()] == [Mode.SHADOW]


def test_the_package_has_the_programs_version() -> None:
    assert (DEPLOY / "debian/changelog").read_text().startswith(f"bounce-sidecar ({__version__}) ")


def test_the_manual_of_the_pipe_door_names_its_options() -> None:
    usage = subprocess.run(
        [sys.executable, "-IS", DEPLOY.parent / "sidecar/deliver.py", "--help"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    options = set(re.findall(r"--[a-z]+", usage))
    assert {"--socket", "--refuse"} <= options
    page = (DEPLOY / "debian/bounce-sidecar-deliver.1.rst").read_text()
    assert options == set(re.findall(r"^(--[a-z]+)", page, flags=re.MULTILINE))

"""What a user installs: the wheel, made of the sdist, away from the sources, with all that it needs."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.servers  # pip builds it, which wants a package index

ROOT = Path(__file__).parents[2]
PIP = ["pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the sources, as the project's own build makes it."""
    folder = tmp_path_factory.mktemp("sdist")
    tools = folder / "tools"
    install = [
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
        str(tools),
        "hatchling",
    ]
    subprocess.run([sys.executable, "-m", *install], check=True, timeout=300)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tools)}, check=True, timeout=300)
    [made] = folder.glob("*.tar.gz")
    return made


def test_the_sdist_brings_what_installing_and_packaging_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = subprocess.run(
        ["git", "ls-files", "*.md", "LICENSE", "Makefile", "pyproject.toml", "deploy", "docs", "sidecar",
         "wiki_adapter", "fixtures"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert set(wanted) <= names
    assert {"deploy/debian/rules", "docs/operating.md"} <= names


def test_the_wheel_brings_rules_migrations_fixtures_and_the_extension(sdist: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    subprocess.run([sys.executable, "-m", *PIP, str(installed), str(sdist)], check=True, timeout=300)
    demo = subprocess.run(
        [sys.executable, "-P", "-c", "from sidecar.cli import main; main()", "demo", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr
    told = json.loads(demo.stdout)
    assert len(told) == 12
    shown = (ROOT / "README.md").read_text("utf-8").partition("$ make demo\n")[2].partition("\n\n")[0]
    for one in told:
        [line] = re.findall(rf"^ *{one['name']} .*$", shown, flags=re.MULTILINE)
        assert one["story"].split()[0] == line.split()[1]
        assert one["found"] == re.findall("un-confirmed|confirmed", line)[0]
        assert line.split()[-1] in one["why"]
    assert (installed / "wiki_adapter/BounceSidecar/extension.json").is_file()
    for needed in ("templates/overview.html", "static/style.css", "static/icon.svg", "../chart.css"):
        assert (installed / "sidecar/edges/dashboard" / needed).is_file()
    hands_over(installed)


def test_an_editable_installation_brings_the_pipe_door_too(tmp_path: Path) -> None:
    # --ignore-installed: else pip takes the installation away that runs these tests.
    command = [sys.executable, "-m", *PIP[:-1], "--ignore-installed", "--prefix", str(tmp_path)]
    subprocess.run([*command, "--editable", str(ROOT)], check=True, timeout=300)
    hands_over(tmp_path)
    assert Path(sys.executable).with_name("bounce-sidecar").exists()


def hands_over(installed: Path) -> None:
    """It starts with nothing around it, and comes as far as the socket."""
    program = installed / "bin/bounce-sidecar-deliver"
    assert program.read_bytes() == (ROOT / "sidecar/deliver.py").read_bytes()
    (program.parent / "python3").symlink_to(sys.executable)
    ended = subprocess.run(
        [program, "--socket", "/nowhere/lmtp.sock", "one@b.example"],
        cwd="/",
        env={},
        input=b"A: b\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (75, b"")
    assert b"connecting to /nowhere/lmtp.sock" in ended.stderr

"""What is in the Debian package, before anybody installs it: lintian, the manual, completion, confinement."""

import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sidecar import __version__
from sidecar.cli import main
from tests.support.debian_package import DebianPackage, package, tools

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs/configuration.md"
PLACE = "usr/lib/bounce-sidecar"


@pytest.fixture(scope="module")
def built() -> DebianPackage:
    return package()


@pytest.fixture(scope="module")
def inside(built: DebianPackage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the package brings, unpacked."""
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(["dpkg-deb", "--extract", built.file, folder], check=True, timeout=120)
    return folder


def test_lintian_finds_no_fault(built: DebianPackage) -> None:
    assert [line for line in built.lintian().splitlines() if line.startswith(("E:", "W:"))] == []


def test_it_is_of_the_programs_version(built: DebianPackage) -> None:
    fields = subprocess.run(
        ["dpkg-deb", "--field", built.file, "Version", "Depends"], capture_output=True, text=True, check=True
    ).stdout
    assert f"Version: {__version__}\n" in fields
    assert re.search(r"systemd.*python3, python3\.\d+, libc6", fields)


def test_nothing_of_the_building_is_left(inside: Path) -> None:
    home = inside / PLACE
    assert sorted(one.name for one in (home / "bin").iterdir()) == ["python3"]
    assert not [one for one in home.rglob("*") if re.match(r"(pip|setuptools)([-.]|$)", one.name)]
    compiled = {one.name.split(".")[0] for one in home.rglob("sidecar/domain/__pycache__/*.pyc")}
    assert compiled == {one.stem for one in (ROOT / "sidecar/domain").glob("*.py")}
    found = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "debian/bounce-sidecar", inside],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


def test_it_ships_no_configuration_and_no_secret(inside: Path) -> None:
    assert not (inside / "etc").exists()
    assert not (inside / "var").exists()


def test_the_extension_is_the_sources(inside: Path) -> None:
    subprocess.run(
        [
            "diff",
            "--recursive",
            ROOT / "wiki_adapter/BounceSidecar",
            inside / "usr/share/bounce-sidecar/BounceSidecar",
        ],
        check=True,
    )


def test_the_manual_has_no_fault(built: DebianPackage) -> None:
    script = """
    dpkg-deb --extract "$1" /tmp/package
    for page in /tmp/package/usr/share/man/man*/*; do
        man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 > /dev/null
        mandoc -T lint -W error "$page"
    done
    """
    with tools().running() as host:
        host.path("/run/it.deb").write_bytes(built.file.read_bytes())
        assert host.run("sh", "-euc", script, "manual", "/run/it.deb") == ""


def test_the_manual_names_every_command_and_every_setting(inside: Path) -> None:
    pages = {
        page.name: gzip.decompress(page.read_bytes()).decode().replace("\\", "")
        for page in (inside / "usr/share/man").rglob("*.gz")
    }
    assert set(pages) == {"bounce-sidecar.1.gz", "bounce-sidecar-deliver.1.gz", "bounce-sidecar.toml.5.gz"}
    commands = re.findall(r"^\.SS (.*)$", pages["bounce-sidecar.1.gz"], flags=re.MULTILINE)
    assert commands == sorted(_commands(main))
    told = pages["bounce-sidecar.toml.5.gz"]
    for chapter in re.split(r"^### ", DOC.read_text(), flags=re.MULTILINE)[1:]:
        heading = chapter.partition("\n")[0].strip("`")
        section = told.partition(f"\n.SS {heading}\n")[2].partition("\n.S")[0]
        for setting in re.findall(r"^\| `(\w+)` \|", chapter, flags=re.MULTILINE):
            assert f"fB{setting}fP (" in section, (heading, setting)


def _commands(group: click.Group) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {inner}" for inner in _commands(command))
        else:
            yield name


def test_the_shells_complete(inside: Path) -> None:
    share = inside / "usr/share"
    bash = share / "bash-completion/completions/bounce-sidecar"
    subprocess.run(["bash", "-n", bash], check=True)
    for file in (
        bash,
        share / "zsh/vendor-completions/_bounce-sidecar",
        share / "fish/vendor_completions.d/bounce-sidecar.fish",
    ):
        assert "_BOUNCE_SIDECAR_COMPLETE=" in file.read_text()

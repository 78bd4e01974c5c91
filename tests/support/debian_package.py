"""Our Debian package, built as `make deb` builds it, in a private Debian that has what building wants.

Knows how it is kept until the sources change, and how to make it look older. Does not install any.
"""

import fcntl
import hashlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.debian_host import DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.fixtures_debian import PROJECT, WHEELS, fetching, installed
from tests.support.places import CACHE

__all__ = ["DebianPackage", "package"]

ROOT = PROJECT.parent

#: What goes into the package, or says how it is made.
SOURCES = ("CHANGELOG.md", "README.md", "pyproject.toml", "deploy", "docs", "sidecar", "wiki_adapter",
           "fixtures/bounces", "fixtures/scenarios")  # fmt: skip
TOOLS = ["build-essential", "debhelper", "lintian", "mandoc", "man-db", "python3-docutils", "python3-venv"]

#: A version lower than any that there is.
MAKE_OLD = """
cd "$(mktemp -d)"
dpkg-deb --control "$1" control
sed -i 's/^Version: .*/Version: 0.0.9/' control/control
tar -C control --owner=0 --group=0 -czf control.tar.gz .
cp "$1" "$2"
ar r "$2" control.tar.gz
"""
LINTIAN = ["lintian", "--allow-root", "--fail-on=none", "--tag-display-limit=0"]
QUICK = {"DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"}
KEPT = 6 * 3600.0  # seconds after the last use: each change of the sources makes another one
EXTRAS = ("localsettings", "mariadb", "postgresql")


@dataclass(frozen=True)
class DebianPackage:
    folder: Path

    @property
    def file(self) -> Path:
        [found] = self.folder.glob("*.deb")
        return found

    def bring(self, host: DebianHost) -> None:
        """To /tmp/new.deb, and the same under a lower version to /tmp/old.deb."""
        shutil.copy(self.file, host.path("/tmp/new.deb"))
        host.run("sh", "-euc", MAKE_OLD, "old", "/tmp/new.deb", "/tmp/old.deb")

    def lintian(self) -> str:
        """What lintian says; half a minute the first time."""
        said = self.folder / "lintian.txt"
        if not said.exists():
            with tools().running() as host:
                shutil.copy(self.file, host.path("/run"))
                said.write_text(host.run(*LINTIAN, f"/run/{self.file.name}"))
        return said.read_text()


def tools() -> DebianRoot:
    """A Debian with the tools, and with the wheels that pip would fetch."""
    return installed("deb-tools", TOOLS, then=fetching(*EXTRAS))


def package() -> DebianPackage:
    """Built if the sources are not those of the last time; half a minute then."""
    root = tools()
    kept = CACHE / "deb"
    kept.mkdir(parents=True, exist_ok=True)
    folder = kept / _digest()
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = kept / "draft"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            with root.running() as host:
                _build(host, draft)
            draft.rename(folder)
        folder.touch()
        for other in kept.glob("*/"):
            if other.stat().st_mtime < time.time() - KEPT:
                shutil.rmtree(other)
    return DebianPackage(folder)


def _build(host: DebianHost, draft: Path) -> None:
    fetched = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS}
    host.run("sh", str(ROOT / "deploy/build-deb.sh"), "/built", **QUICK, **fetched)
    [made] = host.path("/built").glob("*.deb")
    shutil.copy(made, draft)


def _digest() -> str:
    found = hashlib.sha256(Path(__file__).read_bytes())
    for top in SOURCES:
        for file in sorted([ROOT / top, *(ROOT / top).rglob("*")]):
            if file.is_file() and "__pycache__" not in file.parts:
                name = f"{file.relative_to(ROOT)}\0{file.stat().st_mode:o}\0"
                found.update(name.encode() + file.read_bytes())
    return found.hexdigest()[:16]

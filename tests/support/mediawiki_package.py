"""MediaWiki's program files, from Debian's packages.

Knows where they come from and how they run without being installed: installing them would bring a web server.
Does not know any wiki: one tree of files serves them all.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .places import CACHE, missing

#: The long-term versions that we promise to work with, and the Debian release that has each.
RELEASES = {"1.39": "bookworm", "1.43": "trixie"}

#: What MediaWiki on SQLite needs of PHP, and the packages that have it.
PHP_EXTENSIONS = {"pdo_sqlite", "mbstring", "intl", "xml"}
PHP_PACKAGES = "php-cli php-sqlite3 php-mbstring php-intl php-xml php-curl"

PATIENCE = 300.0  # seconds for one call of apt-get; the packages are 40 to 55 MB


class PackageUnavailable(Exception):
    """This machine's apt sources do not offer this version, or cannot be reached. Holds the reason."""


def require_php() -> str:
    """The path of PHP's command line; skips loudly if it is missing or cannot run MediaWiki."""
    php = shutil.which("php")
    if php is None:
        missing(PHP_PACKAGES)
    modules = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.lower().split()
    if not PHP_EXTENSIONS.issubset(modules):
        missing(PHP_PACKAGES)
    return php


def program_files(version: str) -> Path:
    """The unpacked tree of this version: downloaded once, then kept; safe against other test processes.

    Raises PackageUnavailable.
    """
    tree = CACHE / f"mediawiki-{version}"
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    if CACHE.stat().st_uid != os.getuid():
        # What lies in there is run, perhaps as root.
        raise PackageUnavailable(f"{CACHE} belongs to somebody else")
    with _alone(CACHE / f"mediawiki-{version}.lock"):
        if not tree.exists():
            with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"mediawiki-{version}-") as workshop:
                _unpack(_download(version, Path(workshop)), Path(workshop) / "root").rename(tree)
    return tree


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(version: str, workshop: Path) -> list[Path]:
    options = _apt_options(RELEASES[version], workshop)
    _apt_get([*options, "update"], workshop)
    # -classes holds includes/libs.
    output = _apt_get([*options, "download", "mediawiki", "mediawiki-classes"], workshop)
    packages = sorted(workshop.glob("*.deb"))
    if len(packages) != 2 or f"1%3a{version}." not in packages[-1].name:
        raise PackageUnavailable(f"no MediaWiki {version} here: {output}")
    return packages


def _apt_options(release: str, workshop: Path) -> list[str]:
    """apt on its own: this machine's sources with another release, nothing of the machine's state touched."""
    here = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    sources = workshop / "sources"
    for folder in (sources, workshop / "lists/partial", workshop / "archives/partial"):
        folder.mkdir(parents=True)
    # "bookworm-updates" is the release's own; in "some-product-bookworm" it is part of another name.
    name = re.compile(rf"(?<![\w-]){re.escape(here)}(?!\w)")
    for file in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        if here and file.suffix in {".list", ".sources"} and file.is_file() and name.search(file.read_text()):
            (sources / file.name).write_text(name.sub(release, file.read_text()))
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": sources,
        "Dir::State::lists": workshop / "lists",
        "Dir::Cache::archives": workshop / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",  # the workshop is ours alone
        "Acquire::Retries": "2",
    }
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def _apt_get(arguments: list[str], workshop: Path) -> str:
    """apt-get's last line. An update that missed a source is no failure yet: the download will tell."""
    try:
        run = subprocess.run(
            ["apt-get", "-q", *arguments],
            cwd=workshop,
            env={**os.environ, "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise PackageUnavailable(str(e)) from e
    return (run.stdout.strip().splitlines() or [""])[-1]


def _unpack(packages: list[Path], root: Path) -> Path:
    for package in packages:
        subprocess.run(["dpkg", "-x", package, root], check=True)
    tree = root / "usr/share/mediawiki"
    # Four absolute links lead to where the installed package keeps its state.
    for link in ("LocalSettings.php", "config", "extensions", "images"):
        (tree / link).unlink(missing_ok=True)
    (tree / "extensions").symlink_to("extensions-core")
    (tree / "images").mkdir()
    return tree

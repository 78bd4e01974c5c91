"""Debian packages really installed, by their own scripts, without touching this machine.

Knows apt-get, debconf and how an installation is kept between runs. Does not know namespaces
(debian_host.py does) or what the packages are for.
"""

import fcntl
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.debian_host import CommandFailed, DebianHost, started
from tests.support.debs import DownloadFailed
from tests.support.places import CACHE

__all__ = ["DebianRoot"]

#: What is installed here anyway changes what apt-get adds, so a kept layer is good for this state only.
HERE = Path("/var/lib/dpkg/status")

KEPT = 7 * 86400.0  # seconds after the last use

#: No service is started (101 is "forbidden"). This machine's own installation, if it has one, goes first: it
#: takes the answers along that were given before.
INSTALL = r"""
set -e
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
hostname --fqdn > /etc/mailname
apt="apt-get -qqy -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io"
$apt purge "$@" < /dev/null || true
debconf-set-selections
install="$apt install --no-install-recommends"
$install "$@" || { $apt update; $install "$@"; }
apt-get clean
"""


@dataclass(frozen=True)
class DebianRoot:
    """Packages installed and kept. Start as many hosts of it as you like; each begins the same."""

    layer: Path

    @classmethod
    def installed(
        cls, name: str, packages: Sequence[str], *, preseed: str = "", then: str = ""
    ) -> "DebianRoot":
        """*packages* installed with the answers *preseed* (lines for debconf), then the script *then* run.

        Some ten seconds the first time. Raises DownloadFailed, or NoNamespaces where nothing can be mounted.
        """
        wanted = "\0".join([*packages, preseed, then, INSTALL]).encode() + HERE.read_bytes()
        folder = CACHE / "debian" / name
        layer = folder / f"{hashlib.sha256(wanted).hexdigest()[:16]}.tar"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not layer.exists():
                _install(packages, preseed, then, layer)
            layer.touch()
            _forget_old(folder)
        return cls(layer)

    @contextmanager
    def running(self) -> Iterator[DebianHost]:
        """A host with these packages and a network of its own, which is loopback; no service runs yet."""
        with started(self.layer) as host:
            host.path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
            yield host


def _install(packages: Sequence[str], preseed: str, then: str, layer: Path) -> None:
    draft = layer.with_suffix(".new")
    with started(network=True) as host:
        try:
            host.run("sh", "-c", INSTALL, "install", *packages, stdin=preseed)
            host.run("sh", "-euc", then)
        except CommandFailed as trouble:
            raise DownloadFailed(f"{' '.join(packages)}: {trouble}") from trouble
        host.keep(draft)
    draft.rename(layer)


def _forget_old(folder: Path) -> None:
    """Not at once: another checkout, or another run that has begun, may use them."""
    for layer in folder.glob("*.tar"):
        if layer.stat().st_mtime < time.time() - KEPT:
            layer.unlink()

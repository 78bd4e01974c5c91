"""Fixtures: Debian's mail servers as Debian installs them, each test on a machine of its own.

Knows which packages, with which answers to their questions. Does not know any test.
"""

import os
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.debian_host import NAME, DebianHost, NoNamespaces
from tests.support.debian_root import DebianRoot
from tests.support.debs import DownloadFailed
from tests.support.places import missing

__all__ = ["PROJECT", "WHEELS", "fetching", "installed"]

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
WHEELS = "/var/cache/wheels"

POSTFIX = f"""\
postfix postfix/main_mailer_type select Internet Site
postfix postfix/mailname string {NAME}
"""
INTERNET_SITE = "internet site; mail is sent and received directly using SMTP"
EXIM = f"""\
exim4-config exim4/dc_eximconfig_configtype select {INTERNET_SITE}
exim4-config exim4/use_split_config boolean true
exim4-config exim4/mailname string {NAME}
"""


def installed(name: str, packages: Sequence[str], *, preseed: str = "", then: str = "") -> DebianRoot:
    """DebianRoot.installed, or the loud skip that says why it cannot be."""
    if os.getuid() != 0:
        missing(f"{name} in a root of its own: only root can make one")
    try:
        root = DebianRoot.installed(name, packages, preseed=preseed, then=then)
        with root.running():
            return root  # what was kept may come from a time with more rights
    except (DownloadFailed, NoNamespaces) as trouble:
        missing(f"{name} in a root of its own: {trouble}")


def fetching(*extras: str) -> str:
    """A script that fetches what pip would, with *extras* of ours, into WHEELS."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))
    more = [one for extra in extras for one in project["project"]["optional-dependencies"][extra]]
    wheels = [*project["build-system"]["requires"], *project["project"]["dependencies"], *more]
    return f"""
    python3 -m venv /tmp/fetching
    /tmp/fetching/bin/pip wheel --quiet --no-cache-dir --wheel-dir {WHEELS} {shlex.join(wheels)}
    rm -r /tmp/fetching
    """


@pytest.fixture(scope="session")
def postfix_root() -> DebianRoot:
    """Debian's Postfix, complete, as its package configures an internet site."""
    return installed("postfix", ["postfix"], preseed=POSTFIX)


@pytest.fixture(scope="session")
def exim_root() -> DebianRoot:
    """Debian's Exim, complete, with split configuration, as its package configures an internet site."""
    return installed("exim4", ["exim4-daemon-light"], preseed=EXIM)


@pytest.fixture(scope="session")
def first_installation_root() -> DebianRoot:
    """What the README's first installation begins with, and WHEELS: what pip would fetch for it."""
    packages = ["postfix", "python3-venv", "openssl"]
    return installed("first-installation", packages, preseed=POSTFIX, then=fetching())


@pytest.fixture(scope="session")
def systemd_root() -> DebianRoot:
    """A mail host that can be booted; manuals are not indexed at each installation."""
    packages = ["systemd", "systemd-sysv", "dbus", "postfix", "man-db"]
    return installed("systemd", packages, preseed=f"{POSTFIX}man-db man-db/auto-update boolean false\n")


@pytest.fixture
def postfix_host(postfix_root: DebianRoot) -> Iterator[DebianHost]:
    """A machine with Debian's Postfix, not started."""
    with postfix_root.running() as host:
        yield host

"""Fixtures: real mail servers, a scripted remote one, and a place where bounces end.

Knows how long each lives and what to say when one cannot be had. Does not know any test.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import exim as exims
from tests.support import postfix as postfixes
from tests.support.debs import DownloadFailed
from tests.support.exim import Exim
from tests.support.lmtp_sink import LmtpSink
from tests.support.places import missing
from tests.support.postfix import Postfix
from tests.support.remote_mx import RemoteMx
from tests.support.smtp_sink import SmtpSink


def _installed(name: str, install: Callable[[], Path]) -> Path:
    if os.getuid() != 0:
        missing(f"{name}: only root can start it")
    try:
        return install()
    except DownloadFailed as trouble:
        missing(f"{name}: {trouble}")


@pytest.fixture(scope="session")
def postfix_prefix() -> Path:
    """Debian's Postfix, unpacked."""
    return _installed("Postfix", postfixes.install)


@pytest.fixture(scope="session")
def exim_program() -> Path:
    """Debian's Exim, unpacked."""
    return _installed("Exim", exims.install)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for sockets that other accounts may enter, its path short enough for them (107 bytes)."""
    folder = Path(tempfile.mkdtemp(prefix="mta-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postfix(postfix_prefix: Path, short_folder: Path) -> Iterator[Postfix]:
    """Neither configured nor started: each test says where mail goes. Ended afterwards."""
    server = Postfix(postfix_prefix, short_folder / "postfix")
    yield server
    server.stop()


@pytest.fixture
def exim(exim_program: Path, short_folder: Path) -> Iterator[Exim]:
    """Neither configured nor started. Ended afterwards."""
    server = Exim(exim_program, short_folder / "exim")
    yield server
    server.stop()


@pytest.fixture
def remote_mx() -> Iterator[RemoteMx]:
    """Somebody else's mail server, running."""
    server = RemoteMx()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def lmtp_sink(short_folder: Path) -> Iterator[LmtpSink]:
    """Takes whatever comes by LMTP, running."""
    sink = LmtpSink(short_folder / "lmtp.sock")
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """A mail server that takes what is sent to it."""
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.stop()

"""Who reads the daemon's log stands still: mail is booked and return paths are signed all the same."""

import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar import host
from sidecar.recorded import recorded
from tests.support.practice import ADDRESS, WIKI, configured, load, start_once
from tests.support.return_path_peer import netstring
from tests.support.sidecar import is_served
from tests.support.waiting import until

pytestmark = pytest.mark.slow

MAILS = 150  # a line of the log each: more than a pipe holds
PATIENCE = 20.0  # seconds


@pytest.fixture
def unread(short_folder: Path) -> Iterator[Path]:
    """The folder of a daemon that says all into a pipe which nobody reads."""
    path = configured(short_folder)
    start_once(short_folder)
    command = [str(Path(sys.executable).with_name("bounce-sidecar")), "--config", str(path), "run"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        until(lambda: is_served(short_folder / "verp.sock"), "a daemon that serves")
        yield short_folder
    finally:
        process.kill()
        process.communicate()


def test_a_log_that_nobody_reads_holds_up_no_mail(unread: Path) -> None:
    config, report = load(unread), recorded("postfix/01-no-such-user")
    with smtplib.LMTP(str(unread / "lmtp.sock"), timeout=PATIENCE) as mta:
        for user in range(1, MAILS + 1):
            path = config.verp.issue(WIKI, user, ADDRESS, host.now())
            mta.sendmail("", [path], report.addressed(ADDRESS, path))
    with socket.socket(socket.AF_UNIX) as wiki:
        wiki.settimeout(PATIENCE)
        wiki.connect(str(unread / "verp.sock"))
        wiki.sendall(netstring(f"verp {WIKI} 7 {ADDRESS}"))
        assert b":OK " in wiki.recv(1000)

"""The daemon in a storm: another process reads, and whatever is done to it, each mail is booked once."""

import os
import re
import signal
import smtplib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sidecar import host
from sidecar.recorded import recorded
from tests.support.leaks import secret
from tests.support.practice import ADDRESS, WIKI, configured, load
from tests.support.sidecar import is_served
from tests.support.waiting import said, until

PROGRAM = "from sidecar.cli import main; main()"
REPORT = recorded("postfix/01-no-such-user")
pytestmark = pytest.mark.slow

LONG = 120.0  # seconds; on a busy machine
SESSIONS, MAILS = 8, 40  # so many mails in each session
NEW_KEY = secret("another key of a test, which signs from now on, 0123456789")


class Storm:
    """A daemon in a process group of its own, as a terminal and a service manager see it."""

    def __init__(self, folder: Path) -> None:
        self.folder, path = folder, configured(folder)
        self.config = load(folder)
        command = [sys.executable, "-c", PROGRAM, "--config", str(path), "run"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        until(lambda: is_served(folder / "lmtp.sock"), "the daemon")
        self.users = iter(range(1, 1_000_000))

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def rage(self) -> None:
        """Eight mail servers' sessions at once; each mail is answered 250."""
        with ThreadPoolExecutor(SESSIONS) as sessions:
            list(sessions.map(lambda _: self._session(), range(SESSIONS)))

    def _session(self) -> None:
        with smtplib.LMTP(str(self.folder / "lmtp.sock"), timeout=60) as mta:
            for _ in range(MAILS):
                path = self.config.verp.issue(WIKI, next(self.users), ADDRESS, host.now())
                assert mta.sendmail("", [path], REPORT.addressed(ADDRESS, path)) == {}

    def apart(self, times: int = 1) -> int:
        """Rage until another process reads, for the so many-th time; which one."""
        pattern = r'"reading apart".*?"pid":(\d+)'
        until(lambda: self.rage() or len(re.findall(pattern, self.log())) >= times, "another process", LONG)
        return int(re.findall(pattern, self.log())[-1])

    def booked(self) -> tuple[int, int]:
        """Notices and users; both are as many as there were mails."""
        with closing(sqlite3.connect(self.folder / "history.db", timeout=30)) as history:
            found: tuple[int, int] = history.execute(
                "SELECT (SELECT count(*) FROM notice), (SELECT count(DISTINCT user_id) FROM bounce)"
            ).fetchone()
            return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """By a signal to the whole group; the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(30)


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    storm = Storm(tmp_path)
    yield storm
    if storm.process.poll() is None:
        storm.process.kill()
        storm.process.wait()


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_whatever_is_done_to_the_other_process_each_mail_is_booked_once(storm: Storm, blow: int) -> None:
    other = storm.apart()
    with ThreadPoolExecutor(1) as beside:
        raging = beside.submit(storm.rage)
        begun = storm.booked()[0]
        until(lambda: storm.booked()[0] > begun + SESSIONS, "some mails")
        os.kill(other, blow)
        raging.result()
    sent = storm.booked()[0]
    assert storm.booked() == (sent, sent)
    said(storm.log, '"no longer reading apart"')
    assert is_gone(other)
    assert "Traceback" not in storm.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_end_that_is_told_to_all_is_orderly(storm: Storm, number: int) -> None:
    other = storm.apart()
    assert storm.end(number) == 0, storm.log()
    assert is_gone(other)
    assert "Traceback" not in storm.log()
    assert "no longer reading apart" not in storm.log()


def test_it_ends_with_a_daemon_that_was_killed(storm: Storm) -> None:
    other = storm.apart()
    storm.process.kill()
    storm.process.wait()
    until(lambda: is_gone(other), "the end of the other process")


def test_after_a_reload_another_one_reads_by_the_keys_of_now(storm: Storm) -> None:
    first = storm.apart()
    keys = storm.folder / "verp.keys"
    keys.write_text(f"{NEW_KEY}\n{keys.read_text()}")
    storm.process.send_signal(signal.SIGHUP)
    said(storm.log, '"reloaded"')
    until(lambda: is_gone(first), "the end of who read by the old keys")
    before, storm.config = storm.config, load(storm.folder)
    assert storm.apart(times=2) != first
    storm.config = before
    storm.rage()
    sent = storm.booked()[0]
    assert storm.booked() == (sent, sent), "by both keys"
    assert '"no longer reading apart"' not in storm.log(), "it was let go"

"""A sidecar for tests with real servers: its folder, its process, its clock, its history.

Knows how to start, kill and look into it. Does not know what is tested.
"""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.fresh_history import fresh_unless_there
from tests.support.leaks import secret
from tests.support.sidecar_process import DIE_AFTER, DIE_BEFORE
from tests.support.waiting import said, until

__all__ = ["DIE_AFTER", "DIE_BEFORE", "DOMAIN", "Sidecar", "is_served"]

DOMAIN = "bounces.example.org"
ROOT = Path(__file__).parents[2]
EVENT = """(event='{0}'|"message":"{0}")"""  # in either format
GRACE = 20.0  # seconds for an orderly end

CONFIG = """\
contact = "ops@example.org"
[verp]
domain = "{domain}"
keys_file = "verp.keys"
[sockets]
directory = "{folder}"
verp = "{verp_socket}"
mta_directory = "{mta_folder}"
mta_group = "{mta_group}"
socketmap = "socketmap.sock"
[storage]
url = "sqlite:///{folder}/history.db"
[policy]
mode = "{mode}"
[brake]
delay_minutes = 0
[[wikis]]
id = "{wiki}"
api = "{api}"
account = "{account}"
password_file = "bot.password"
{more}
[log]
format = "{log_format}"
[verp.bouncehandler]
secret_file = "php.secret"
"""


class Sidecar:
    """Configured when made; *folder* must be one that the mail server may enter."""

    def __init__(
        self,
        folder: Path,
        *,
        wiki: str,
        api: str,
        account: str,
        password: str,
        verp_socket: Path,
        mode: str,
        mta_folder: Path | None = None,
        mta_group: str = "",
        more: str = "",
        log_format: str = "keyvalue",
        program: str = "tests.support.sidecar_process",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """*mta_folder*: where the mail server's sockets are, if elsewhere. No *mta_group*: for everybody.

        *more* of the configuration: further settings of the wiki, and after them other wikis. *program*: the
        module that is the daemon; *environment*: what it finds beside the tests' own.
        """
        self._program, self.environment = program, {**os.environ, **(environment or {})}
        mta_folder = mta_folder or folder
        self.folder, self.verp_socket = folder, verp_socket
        names = ("lmtp", "policy", "socketmap")
        self.lmtp_socket, self.policy_socket, self.socketmap = (mta_folder / f"{name}.sock" for name in names)
        self._for_everybody = not mta_group
        self._process: subprocess.Popen[bytes] | None = None
        self.set_password(password)
        self._secret("verp.keys", "a test's key, long enough to be one, 0123456789")
        self._secret("php.secret", "BounceHandler's secret in this test, 9876")
        text = CONFIG.format(
            domain=DOMAIN,
            folder=folder,
            mta_folder=mta_folder,
            mta_group=mta_group,
            wiki=wiki,
            api=api,
            account=account,
            verp_socket=verp_socket,
            mode=mode,
            more=more,
            log_format=log_format,
        )
        (folder / "config.toml").write_text(text)
        fresh_unless_there(folder / "history.db")  # a first start is what other tests are about

    def set_password(self, password: str) -> None:
        """What the operator does after renewing the bot password; read at the next start."""
        self._secret("bot.password", password)

    def set_clock(self, time: datetime) -> None:
        """The sidecar's time, from now on and until it is set again."""
        (self.folder / "clock.new").write_text(time.isoformat())
        (self.folder / "clock.new").rename(self.folder / "clock")

    def order(self, death: str) -> None:
        """Die by SIGKILL, once: DIE_BEFORE or DIE_AFTER the next call of the wiki."""
        (self.folder / death).touch()

    def start(self) -> None:
        """Returns when all sockets are served and the mail server may connect."""
        command = [sys.executable, "-m", self._program, str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        mtas = (self.lmtp_socket, self.policy_socket, self.socketmap)
        until(lambda: self._ended() or all(map(is_served, (self.verp_socket, *mtas))), "sidecar")
        if self._ended():
            raise RuntimeError(self.log())
        for path in mtas if self._for_everybody else ():
            path.chmod(0o666)  # the tests' mail servers work as accounts of no group of ours

    def wait_for_death(self) -> None:
        until(self._ended, "the sidecar's death")
        assert self._process is not None
        assert self._process.returncode == -signal.SIGKILL, self.log()

    def kill(self) -> None:
        """kill -9. Repeatable."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """An orderly end. Repeatable."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def reload(self, says: str = "reloaded") -> None:
        """What `systemctl reload` does; returns when the log says how that ended."""
        said(self.log, EVENT.format("serving"))  # until then nobody listens to the signal
        before = len(re.findall(EVENT.format(says), self.log()))
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        said(self.log, EVENT.format(says), before + 1)

    def hang(self) -> None:
        """It lives and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After a hang."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Straight from the history's file."""
        with closing(sqlite3.connect(self.folder / "history.db", timeout=GRACE)) as database:
            return database.execute(query).fetchall()

    def booked(self, count: int) -> None:
        """Wait until so many notices are in the history."""
        until(
            lambda: self.rows("SELECT count(*) FROM notice") == [(count,)], f"{count} notices in the history"
        )

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _secret(self, name: str, content: str) -> None:
        (self.folder / name).touch(0o600)
        (self.folder / name).write_text((content and secret(content)) + "\n")


def is_served(path: Path) -> bool:
    """Whether somebody listens at this socket."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        return True
    return False

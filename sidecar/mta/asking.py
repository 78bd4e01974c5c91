"""The questions that a check puts to the machine: a command, a socket, a mail server's replies to RCPT.

Knows processes, accounts and SMTP; every question ends within seconds. Does not know which mail server is
asked, nor what the answers mean.
"""

import contextlib
import grp
import os
import pwd
import signal
import smtplib
import socket
import stat
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

__all__ = ["Account", "Answer", "Connection", "Machine", "Reply"]

PATIENCE = 10.0  # seconds for a command; Exim may ask a name server
SMTP_PATIENCE = 15.0  # seconds for a reply; postscreen greets after 6
FAILED = 255  # of a child that was to do something as somebody else
CONNECT_PATIENCE = 3.0  # seconds; a socket of this host answers at once


class Connection(StrEnum):
    """How connecting ended."""

    ANSWERS = "answers"
    MISSING = "does not exist"
    NO_SOCKET = "is not a socket"
    SILENT = "has nobody listening"
    FORBIDDEN = "may not be opened"
    UNTRIED = "was not tried"


@dataclass(frozen=True)
class Account:
    """Who a process is. Its groups: those that the mail server keeps."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """How a command ended; code 127 if there is none of that name, 124 if it took too long."""

    code: int
    output: str


@dataclass(frozen=True)
class Reply:
    """To an RCPT."""

    code: int
    text: str


class Machine:
    """This host. Frozen into facts by whoever asks it; nothing is changed by asking."""

    def ask(self, *command: str, stdin: str = "") -> Answer:
        """What a command says; its complaints are left out."""
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, errors="replace", timeout=PATIENCE
            )
        except (FileNotFoundError, PermissionError):
            return Answer(127, "")
        except subprocess.TimeoutExpired:
            return Answer(124, "")
        return Answer(done.returncode, done.stdout)

    def is_root(self) -> bool:
        return os.geteuid() == 0

    def account(self, name: str, group: str | None = None) -> Account | None:
        """A process of *name*'s with all its groups, or with *group* alone; None if there is no such."""
        try:
            entry = pwd.getpwnam(name)
            if group is not None:
                gid = grp.getgrnam(group).gr_gid
                return Account(entry.pw_uid, gid, (gid,))
        except KeyError:
            return None
        return Account(entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)))

    def executable(self, path: str) -> bool:
        return os.access(path, os.X_OK)

    def connect(self, path: PurePath, account: Account | None = None) -> Connection:
        """As ourselves, or as *account* in a process of its own."""
        try:
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                return Connection.NO_SOCKET
        except FileNotFoundError:
            return Connection.MISSING
        except OSError:
            return Connection.FORBIDDEN
        if account is None:
            return _connect(path)
        return _connect_as(account, path) if self.is_root() else Connection.UNTRIED

    def may(self, account: Account, path: PurePath, mode: int) -> bool | None:
        """Whether a process of *account*'s may os.access() *path* so; None if we cannot become it."""
        if os.geteuid() == account.uid:
            return os.access(path, mode)
        if not self.is_root():
            return None
        return _as(account, lambda: int(os.access(path, mode))) == 1

    def connect_tcp(self, address: tuple[str, int]) -> Connection:
        try:
            socket.create_connection(address, CONNECT_PATIENCE).close()
        except OSError:
            return Connection.SILENT
        return Connection.ANSWERS

    def recipients(
        self, server: tuple[str, int], addresses: Iterable[str], *, origin: str | None = None
    ) -> Mapping[str, Reply]:
        """What a mail server says to RCPT for mail from the null sender, *origin* being us. Nothing is sent.

        Empty if it does not greet; without those for which the connection did not last.
        """
        replies: dict[str, Reply] = {}
        with contextlib.suppress(OSError, smtplib.SMTPException):
            source = (origin, 0) if origin else None
            with smtplib.SMTP(*server, timeout=SMTP_PATIENCE, source_address=source) as session:
                session.ehlo_or_helo_if_needed()
                code, text = session.mail("")
                for address in addresses:
                    if code == 250:
                        code_of_one, text = session.rcpt(address)
                        replies[address] = Reply(code_of_one, text.decode(errors="replace"))
                    else:
                        replies[address] = Reply(code, text.decode(errors="replace"))
                session.rset()
        return replies


def _connect(path: PurePath) -> Connection:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_PATIENCE)
        try:
            probe.connect(str(path))
        except PermissionError:
            return Connection.FORBIDDEN
        except FileNotFoundError:
            return Connection.MISSING
        except OSError:
            return Connection.SILENT
    return Connection.ANSWERS


def _connect_as(account: Account, path: PurePath) -> Connection:
    outcomes = list(Connection)
    code = _as(account, lambda: outcomes.index(_connect(path)))
    if code is None:
        return Connection.SILENT
    return outcomes[code] if code < len(outcomes) else Connection.UNTRIED


def _as(account: Account, work: Callable[[], int]) -> int | None:
    """What *work* returns, a small number, in a child: who gave its rights away does not get them back.

    None if it took too long; 255 if it could not be done.
    """
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(int(2 * CONNECT_PATIENCE))
            os.setgroups(account.groups)
            os.setgid(account.gid)
            os.setuid(account.uid)
            os._exit(work())
        finally:
            os._exit(FAILED)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else None

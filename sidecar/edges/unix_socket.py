"""The file of a Unix socket: who may connect, and what a predecessor left.

Knows files and sockets, and that a socket which the service manager passed is the manager's, with its file.
Does not know what is spoken on them.
"""

import asyncio
import errno
import grp
import os
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MODE", "CannotListen", "UnixSocket", "is_deaf"]

MODE = 0o660  # the MTA and the wiki get in through the socket's group
BACKLOG = 128  # connections not yet accepted


class CannotListen(Exception):
    """A door cannot be opened; the message names the path or address and says what to do about it."""


@dataclass(frozen=True)
class UnixSocket:
    """A listening socket and its file."""

    listener: socket.socket
    path: Path
    inode: tuple[int, int] | None  #: device and number of the file that we made; None if we did not make it
    backlog: int = BACKLOG

    @classmethod
    def open(
        cls, path: Path, *, mode: int = MODE, group: str | None = None, backlog: int = BACKLOG
    ) -> "UnixSocket":
        """Replace the file that a killed predecessor left, never one on which somebody listens.

        The mode and the group are set before the first connection is possible. Raises CannotListen.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _remove_stale(path)
            listener.bind(str(path))
            if group is not None:
                os.chown(path, -1, _gid(group))
            path.chmod(mode)
            listener.listen(backlog)
            listener.setblocking(False)
            status = path.lstat()
        except OSError as error:
            listener.close()
            raise CannotListen(f"{path}: {error.strerror or error}") from error
        except CannotListen:
            listener.close()
            raise
        return cls(listener, path, (status.st_dev, status.st_ino), backlog)

    @classmethod
    def passed(cls, listener: socket.socket) -> "UnixSocket":
        """One that listens already. Its file, mode and group are those of who made it, and stay.

        To listen again sets the backlog anew: the largest, for those who wait while we start.
        """
        name = os.fsdecode(listener.getsockname())  # octets, if it is an abstract one
        return cls(listener, Path(name), None, socket.SOMAXCONN)

    async def serve(self, protocol: Callable[[], asyncio.BaseProtocol]) -> asyncio.Server:
        """Accept from now on.

        Not by create_unix_server, which from Python 3.13 on removes the file at the end, whosever it is.
        """
        loop = asyncio.get_running_loop()
        return await loop.create_server(protocol, sock=self.listener, backlog=self.backlog)

    def stop_accepting(self) -> None:
        """Whoever comes now waits: for who holds the socket too, or for the end. Repeatable."""
        if self.listener.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.listener)

    def remove(self) -> None:
        """Remove the file, unless it is not ours or somebody has put another there. Repeatable.

        Comes before the listener is closed and has no effect behind that: an inode's number is free as soon
        as its socket is closed, and may be that of a successor's file.
        """
        if self.inode is None or self.listener.fileno() < 0:
            return
        try:
            status = self.path.lstat()
            if (status.st_dev, status.st_ino) == self.inode:
                self.path.unlink()
        except OSError:
            return  # the folder is gone or no longer ours: a stale file is replaced at the next start


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise CannotListen(f"{path} exists and is not a socket; choose another path or remove it")
    except FileNotFoundError:
        return
    problem = _tried(path)
    if problem in (0, errno.EAGAIN):  # EAGAIN: somebody listens and is busy
        raise CannotListen(f"{path} is in use: another process listens on it; stop that one first")
    if problem != errno.ECONNREFUSED:
        raise CannotListen(f"{path} exists and cannot be tried: {os.strerror(problem)}")
    path.unlink(missing_ok=True)


def is_deaf(path: Path) -> bool:
    """Whether it is certain that nobody listens there; False also for who may not try. Never waits.

    A socket that the service manager holds is never deaf.
    """
    return _tried(path) in (errno.ECONNREFUSED, errno.ENOENT)


def _tried(path: Path) -> int:
    """What comes of connecting: an errno, or 0."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        return probe.connect_ex(str(path))


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise CannotListen(f"group {group!r} does not exist") from None

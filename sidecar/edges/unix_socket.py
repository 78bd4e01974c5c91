"""The file of a Unix socket: who may connect, and what a predecessor left.

Knows files and sockets. Does not know what is spoken on them.
"""

import errno
import grp
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MODE", "CannotListen", "UnixSocket"]

MODE = 0o660  # the MTA and the wiki get in through the socket's group


class CannotListen(Exception):
    """A door cannot be opened; the message names the path or address and says what to do about it."""


@dataclass(frozen=True)
class UnixSocket:
    """A listening socket and its file."""

    listener: socket.socket
    path: Path
    inode: tuple[int, int]  #: device and number of the file that we made

    @classmethod
    def open(
        cls, path: Path, *, mode: int = MODE, group: str | None = None, backlog: int = 128
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
        return cls(listener, path, (status.st_dev, status.st_ino))

    def remove(self) -> None:
        """Remove the file, unless somebody has put another there. Repeatable.

        Comes before the listener is closed and has no effect behind that: an inode's number is free as soon
        as its socket is closed, and may be that of a successor's file.
        """
        if self.listener.fileno() < 0:
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
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        problem = probe.connect_ex(str(path))
    if problem in (0, errno.EAGAIN):  # EAGAIN: somebody listens and is busy
        raise CannotListen(f"{path} is in use: another process listens on it; stop that one first")
    if problem != errno.ECONNREFUSED:
        raise CannotListen(f"{path} exists and cannot be tried: {os.strerror(problem)}")
    path.unlink(missing_ok=True)


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise CannotListen(f"group {group!r} does not exist") from None

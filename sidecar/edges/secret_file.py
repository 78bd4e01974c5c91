"""A file with secrets, replaced as a whole: whoever reads it sees the old one or the new one, at any instant.

Knows owners, modes, symbolic links and two commands at once. Does not know what is in it.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Busy", "CannotReplace", "changing", "replace"]


class CannotReplace(Exception):
    """The file stays as it is; the message says what to do."""


class Busy(CannotReplace):
    """another command is changing it; try again"""

    def __init__(self) -> None:
        super().__init__(Busy.__doc__)


@contextlib.contextmanager
def changing(path: Path) -> Iterator[Path]:
    """Alone with the file until the end of the context; hands out the file itself if *path* is a link to it.

    The lock is on its folder: on the file it would go with the one that is replaced. Ends with the process.
    Raises CannotReplace.
    """
    try:
        real = path.resolve(strict=True)
        folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself
        raise CannotReplace(getattr(error, "strerror", None) or str(error)) from None
    try:
        _lock(folder)
        yield real
    finally:
        os.close(folder)


def _lock(folder: int) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy from None
    except OSError as error:  # a file system without locks
        raise CannotReplace(f"its folder cannot be locked: {error.strerror}") from None


def replace(real: Path, content: bytes) -> None:
    """Put *content* in place of the file's, with its owner, group, mode and attributes; on the disk, too.

    Killed at any instant, there is the old file or the new one, and perhaps a hidden one beside it, no more
    readable than they are, which the next replacing removes. Only while ``changing``. Raises CannotReplace.
    """
    fresh = real.with_name(f".{real.name}.new")
    try:
        before = real.stat()
        if before.st_nlink > 1:
            raise CannotReplace(
                "it has another name (a hard link), which would keep the old keys; remove that"
            )
        fresh.unlink(missing_ok=True)
        try:
            _write(fresh, content, like=real, owner=before)
            fresh.rename(real)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _sync_folder(real.parent)
    except OSError as error:
        hint = "; run this as root" if isinstance(error, PermissionError) else ""
        raise CannotReplace(f"{error.strerror or error}{hint}") from None


def _write(fresh: Path, content: bytes, *, like: Path, owner: os.stat_result) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(fresh, flags, 0o600), "wb") as file:
        mine = os.fstat(file.fileno())
        if (mine.st_uid, mine.st_gid) != (owner.st_uid, owner.st_gid):
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        for name in os.listxattr(like):  # an ACL, SELinux' label
            if name not in os.listxattr(fresh) or os.getxattr(fresh, name) != os.getxattr(like, name):
                os.setxattr(fresh, name, os.getxattr(like, name))
        os.fchmod(file.fileno(), stat.S_IMODE(owner.st_mode))
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)

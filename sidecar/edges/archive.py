"""Archived mail as a way in: single files, Maildirs, mboxes, and folders of such.

Knows how archives are laid out, and what else may lie in one: links in a circle, pipes, devices. Does not
know what is in a mail.
"""

import errno
import mailbox
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sidecar.services.replay import Archived

__all__ = ["NotAnArchive", "find"]

LONGEST = 2**30  # octets of a mail: no door takes more ([sockets] max_mail_bytes)


class NotAnArchive(Exception):
    """The path does not exist or cannot be read."""


def find(path: Path) -> Iterator[Archived]:
    """The mails at *path*, each to be loaded when it is wanted. Raises NotAnArchive.

    A folder with cur/ and new/ is a Maildir; a file that begins with "From " is an mbox; any other file is
    one mail; any other folder is walked, once, whatever leads to it. What is no file cannot be loaded.
    """
    try:
        if path.is_dir():
            yield from _folder(path, set())
        else:
            _opened(path).close()
            yield from _file(path)
    except OSError as error:
        raise NotAnArchive(f"{path}: {error.strerror or error}") from None


def _folder(path: Path, seen: set[tuple[int, int]]) -> Iterator[Archived]:
    status = path.stat()
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    if (path / "cur").is_dir() and (path / "new").is_dir():
        for part in ("new", "cur"):
            for file in sorted((path / part).iterdir()):
                yield Archived(str(file), partial(_load, file))
        return
    for entry in sorted(path.iterdir()):
        if entry.is_dir():
            yield from _folder(entry, seen)
        elif entry.suffix in ("", ".eml", ".mbox"):
            yield from _file(entry)


def _file(path: Path) -> Iterator[Archived]:
    try:
        with _opened(path) as file:
            start = file.read(5)
    except OSError:
        start = b""  # whoever loads it is told why not
    if start != b"From ":
        yield Archived(str(path), partial(_load, path))
        return
    box = mailbox.mbox(path, create=False)
    for key in box.keys():  # noqa: SIM118  (a mailbox iterates over its messages)
        yield Archived(f"{path}#{key}", lambda key=key: box.get_bytes(key))  # type: ignore[misc]


def _load(path: Path) -> bytes:
    """Raises OSError."""
    with _opened(path) as file:
        raw = file.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return raw


def _opened(path: Path) -> BinaryIO:
    """A file, and nothing that would keep us waiting or never end. Raises OSError."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a file")
    return file

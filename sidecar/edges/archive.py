"""Archived mail as a way in: single files, Maildirs, mboxes, and folders of such.

Knows how archives are laid out. Does not know what is in a mail.
"""

import mailbox
from collections.abc import Iterator
from pathlib import Path

from sidecar.services.replay import Archived

__all__ = ["NotAnArchive", "find"]


class NotAnArchive(Exception):
    """The path does not exist or cannot be read."""


def find(path: Path) -> Iterator[Archived]:
    """The mails at *path*, each to be loaded when it is wanted. Raises NotAnArchive.

    A folder with cur/ and new/ is a Maildir; a file that begins with "From " is an mbox; any other file is
    one mail; any other folder is walked.
    """
    try:
        if path.is_dir():
            yield from _folder(path)
        else:
            yield from _file(path)
    except OSError as error:
        raise NotAnArchive(f"{path}: {error.strerror or error}") from None


def _folder(path: Path) -> Iterator[Archived]:
    if (path / "cur").is_dir() and (path / "new").is_dir():
        for part in ("new", "cur"):
            for file in sorted((path / part).iterdir()):
                yield Archived(str(file), file.read_bytes)
        return
    for entry in sorted(path.iterdir()):
        if entry.is_dir() or entry.suffix in ("", ".eml", ".mbox"):
            yield from find(entry)


def _file(path: Path) -> Iterator[Archived]:
    with path.open("rb") as file:
        start = file.read(5)
    if start != b"From ":
        yield Archived(str(path), path.read_bytes)
        return
    box = mailbox.mbox(path, create=False)
    for key in box.keys():  # noqa: SIM118  (a mailbox iterates over its messages)
        yield Archived(f"{path}#{key}", lambda key=key: box.get_bytes(key))  # type: ignore[misc]

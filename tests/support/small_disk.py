"""A small disk that a test fills.

Knows tmpfs, which is as full as any. Does not know what lies on it.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.places import missing

__all__ = ["SmallDisk", "small_disk"]

CHUNK = 4096  # octets; a page, the least that a disk gives


class SmallDisk:
    """Mounted at *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "somebody-elses.log"

    def fill(self) -> None:
        """To the last octet, though others write meanwhile: who asks for more than there is gets nothing."""
        size = self._free()
        with self._ballast.open("ab") as ballast:
            while True:
                try:
                    os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), size)
                except OSError:
                    if size == CHUNK:
                        return
                    size = max(size // 2, CHUNK)
                else:
                    size = self._free()

    def _free(self) -> int:
        return max(os.statvfs(self.folder).f_bavail * CHUNK, CHUNK)

    def make_room(self) -> None:
        """What was filled is free again."""
        self._ballast.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """Mounts it; skips loudly where nobody may mount."""
    options = f"size={mebibytes}m,mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        missing("a small disk: this host lets nobody mount one")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)

"""Libraries of our own that the compiler makes and LD_PRELOAD (ld.so(8)) brings into a process of the tests.

Knows the compiler. Does not know what a library does: its source says so.
"""

import shutil
import subprocess
from pathlib import Path

from tests.support.places import missing

__all__ = ["Switch", "library"]

FOLDER = Path(__file__).parent


class Switch:
    """The file of a library that strikes while it is there, and tells of each stroke in another one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._told = file.with_name(file.name + ".told")
        self._told.touch()
        self._told.chmod(0o666)  # whoever is struck may be another user

    def on(self) -> None:
        self.file.touch()

    def off(self) -> None:
        """Repeatable."""
        self.file.unlink(missing_ok=True)

    @property
    def struck(self) -> int:
        """How many calls were, so far."""
        return self._told.stat().st_size


def library(name: str, folder: Path) -> Path:
    """Made of ``tests/support/NAME.c``, into *folder*. Skips loudly without a compiler."""
    if not (compiler := shutil.which("cc")):
        missing(f"cc: nobody else can make {name}")
    made = folder / f"{name}.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(FOLDER / f"{name}.c"), "-ldl"]
    subprocess.run(command, check=True)
    return made

"""Libraries of our own that the compiler makes and LD_PRELOAD (ld.so(8)) brings into a process of the tests.

Knows the compiler. Does not know what a library does: its source says so.
"""

import shutil
import subprocess
from pathlib import Path

from tests.support.places import missing

__all__ = ["library"]

FOLDER = Path(__file__).parent


def library(name: str, folder: Path) -> Path:
    """Made of ``tests/support/NAME.c``, into *folder*. Skips loudly without a compiler."""
    if not (compiler := shutil.which("cc")):
        missing(f"cc: nobody else can make {name}")
    made = folder / f"{name}.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(FOLDER / f"{name}.c"), "-ldl"]
    subprocess.run(command, check=True)
    return made

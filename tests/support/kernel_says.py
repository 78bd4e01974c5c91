"""A host on which the test says whether the clock is kept right: the kernel's own word, for whole processes.

Knows the compiler and LD_PRELOAD (ld.so(8)). Does not know who asks, nor how.
"""

import shutil
import subprocess
from pathlib import Path

from tests.support.places import missing

__all__ = ["KernelSays"]

SOURCE = Path(__file__).with_suffix(".c")


class KernelSays:
    """The clock is synchronised until the test says otherwise, for whoever runs in ``environment``."""

    def __init__(self, folder: Path) -> None:
        if not (compiler := shutil.which("cc")):
            missing("cc: nobody else can make a kernel say that its clock is not synchronised")
        library = folder / "kernel_says.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
        self._word = folder / "kernel_says"
        self.environment = {"LD_PRELOAD": str(library), "KERNEL_SAYS": str(self._word)}
        self.synchronised(yes=True)

    def synchronised(self, *, yes: bool) -> None:
        """From now on."""
        new = self._word.with_suffix(".new")
        new.write_text("yes" if yes else "no")
        new.rename(self._word)

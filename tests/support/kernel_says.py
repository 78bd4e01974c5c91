"""A host on which the test says whether the clock is kept right: the kernel's own word, for whole processes.

Knows how the test's word reaches the library. Does not know who asks, nor how.
"""

from pathlib import Path

from tests.support.preloaded import library

__all__ = ["KernelSays"]


class KernelSays:
    """The clock is synchronised until the test says otherwise, for whoever runs in ``environment``."""

    def __init__(self, folder: Path) -> None:
        self._word = folder / "kernel_says"
        made = library("kernel_says", folder)
        self.environment = {"LD_PRELOAD": str(made), "KERNEL_SAYS": str(self._word)}
        self.synchronised(yes=True)

    def synchronised(self, *, yes: bool) -> None:
        """From now on."""
        new = self._word.with_suffix(".new")
        new.write_text("yes" if yes else "no")
        new.rename(self._word)

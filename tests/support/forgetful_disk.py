"""A disk below one SQLite file that fails as the test says, and without power keeps what was synced.

Knows the words of forgetful_disk.c. Does not know what the file holds.
"""

from pathlib import Path

from tests.support.preloaded import library

__all__ = ["ForgetfulDisk", "Letter"]


class Letter:
    """What the disk does from now on."""

    SYNC_FAILS = "f"
    WRITE_FAILS = "w"
    NO_SPACE = "n"
    SHORT = "s"
    POWER_FAILS = "p"


class ForgetfulDisk:
    """Below *file* and what lies beside it, for whoever runs in ``environment``; well at first."""

    def __init__(self, folder: Path, file: Path) -> None:
        self._word, self._told = folder / "disk.word", folder / "disk.told"
        self.library = library("forgetful_disk", folder)
        self.environment = {
            "LD_PRELOAD": str(self.library),
            "FORGETFUL_FILES": str(file),
            "FORGETFUL_WORD": str(self._word),
            "FORGETFUL_TOLD": str(self._told),
        }

    def says(self, letter: str, one_in: int = 1) -> None:
        """From now on one call in so many is struck."""
        new = self._word.with_suffix(".new")
        new.write_text(f"{letter}{one_in}")
        new.rename(self._word)

    def is_well(self) -> None:
        """From now on."""
        self._word.unlink(missing_ok=True)

    @property
    def struck(self) -> int:
        """How many calls were, so far."""
        return self._told.stat().st_size if self._told.exists() else 0

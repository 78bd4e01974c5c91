"""What the daemon holds, looked at from outside: memory, descriptors, threads, files, the lines of its log.

Knows /proc. Does not know what the daemon is doing, nor what is too much.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path

__all__ = ["Gauge", "Sample"]

Sample = dict[str, float]

PROC = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)
LINE = re.compile(r'"log\.level":"(\w+)","message":"([^"]*)"')
LOUD = ("error", "critical")


class Gauge:
    """Of one process and its folder."""

    def __init__(self, folder: Path, process: int) -> None:
        self._folder, self._proc = folder, Path(f"/proc/{process}")
        self.events: Counter[tuple[str, str]] = Counter()  #: level and words of all lines so far

    def sample(self) -> Sample:
        """All that can be seen at once. Raises FileNotFoundError when the process has ended."""
        memory = dict(PROC.findall((self._proc / "smaps_rollup").read_text()))
        inside = json.loads((self._folder / "inside").read_text())
        return {
            "pss_kb": float(memory["Pss"]),
            "private_kb": float(memory["Private_Clean"]) + float(memory["Private_Dirty"]),
            "rss_kb": float(memory["Rss"]),
            "blocks": inside["blocks"],
            "tasks": inside["tasks"],
            "descriptors": len(os.listdir(self._proc / "fd")),
            "threads": len(os.listdir(self._proc / "task")),
            "database_kb": self._size("history.db"),
            "wal_kb": self._size("history.db-wal"),
            "lines": self.read_log(),
        }

    def _size(self, name: str) -> float:
        try:
            return (self._folder / name).stat().st_size / 1024
        except FileNotFoundError:
            return 0.0

    def read_log(self) -> int:
        """Lines since the last look; what was read is cut off, as logrotate's copytruncate does."""
        path = self._folder / "log"
        text = path.read_text()
        os.truncate(path, 0)
        with (self._folder / "log.1").open("a") as kept:
            kept.write(text)
        self.events.update(LINE.findall(text))
        return text.count("\n")

    @property
    def loud(self) -> Counter[str]:
        """What was said as an error."""
        told: Counter[str] = Counter()
        for (level, words), number in self.events.items():
            if level in LOUD:
                told[words] += number
        return told

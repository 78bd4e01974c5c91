"""What the daemon holds, looked at from outside: memory, descriptors, threads, files, the lines of its log.

Knows /proc. Does not know what the daemon is doing, nor what is too much.
"""

import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = ["Gauge", "Sample"]

Sample = dict[str, float]

PROC = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)
LINE = re.compile(r'"log\.level":"(\w+)","message":"([^"]*)"')
LOUD = ("error", "critical")
FEW = 300  # notices; with fewer the tables themselves weigh more


class Gauge:
    """Of one process and its folder."""

    def __init__(self, folder: Path, process: int, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._folder, self._proc = folder, Path(f"/proc/{process}")
        self.events: Counter[tuple[str, str]] = Counter()  #: level and words of all lines so far

    def sample(self) -> Sample:
        """All that can be seen at once. Raises FileNotFoundError when the process has ended."""
        memory = dict(PROC.findall((self._proc / "smaps_rollup").read_text()))
        inside = json.loads((self._folder / "inside").read_text())
        return {
            "pss_kb": float(memory["Pss"]),
            "anonymous_kb": float(memory["Anonymous"]),  # its own, whoever else has mapped the same files
            "blocks": inside["blocks"],
            "tasks": inside["tasks"],
            "descriptors": len(os.listdir(self._proc / "fd")),
            "threads": len(os.listdir(self._proc / "task")),
            "database_kb": self._size("history.db"),
            "wal_kb": self._size("history.db-wal"),
            "lines": self.read_log(),
            **self._history(),
        }

    def _history(self) -> Sample:
        """How old the oldest notice is, and what there is on disk for each: a file keeps its largest size."""
        with closing(sqlite3.connect(self._folder / "history.db", timeout=10)) as database:
            size, used, free = (
                database.execute(f"PRAGMA {what}").fetchone()[0]
                for what in ("page_size", "page_count", "freelist_count")
            )
            number, oldest = database.execute("SELECT count(*), min(received) FROM notice").fetchone()
        if not oldest:
            return {}
        age = self._clock() - datetime.fromisoformat(oldest).replace(tzinfo=UTC)
        return {
            "oldest_days": age / timedelta(days=1),
            "kb_per_notice": (used - free) * size / 1024 / max(number, FEW),
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

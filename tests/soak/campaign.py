"""A run: traffic for so many minutes, a look every second, a verdict.

Knows what must be flat and which words of the log are expected. Does not know who does what.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.flatness import ALLOWED, Judged, judge
from tests.soak.gauge import Gauge, Sample
from tests.soak.house import House
from tests.soak.times import DAY
from tests.soak.traffic import Traffic

__all__ = ["Report", "soak"]

LOOK = 1.0  # seconds between two samples

#: What is said as an error because a wiki, a database or a mail server was made to fail.
EXPECTED = {"wiki misconfigured"}

COLUMNS = (
    "pss_kb", "anonymous_kb", "blocks", "descriptors", "threads", "tasks", "series", "database_kb",
    "kb_per_notice", "oldest_days", "wal_kb", "lines", "verp_p50_ms", "verp_p99_ms",
)  # fmt: skip


@dataclass
class Report:
    """What was seen."""

    samples: list[Sample] = field(default_factory=list)  #: each with its "day"
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    loud: Counter[str] = field(default_factory=Counter)  #: errors in the log
    wrongs: list[str] = field(default_factory=list)
    exit_code: int = 0

    def judged(self) -> list[Judged]:
        """Each figure that has an allowance."""
        return [
            judge(name, [(one["day"], one[name]) for one in self.samples if name in one]) for name in ALLOWED
        ]

    def troubles(self) -> Iterator[str]:
        """Why the run is not good; none if it is."""
        for one in self.judged():
            if not one.flat:
                yield f"{one.name} grows: by {one.growth:.5g}, allowed are {one.allowed:.5g}"
        for words, number in self.loud.items():
            if words not in EXPECTED:
                yield f"unexpected in the log: {words} ({number})"
        yield from self.wrongs
        if self.exit_code:
            yield f"the daemon ended with {self.exit_code}"


def soak(
    folder: Path, seed: int, minutes: float, tell: Callable[[Sample], None] = lambda sample: None
) -> Report:
    """Blocks for so long. *tell* gets each sample."""
    house, report = House(folder, seed, minutes * 60 / DAY), Report()
    try:
        gauge, traffic = Gauge(folder, house.process.pid, house.clock), Traffic(house, seed)
        traffic.start()
        try:
            begun, deeds = time.monotonic(), 0
            while (passed := time.monotonic() - begun) < minutes * 60 and house.process.poll() is None:
                sample = {**gauge.sample(), **traffic.lookups.figures(), "day": passed / DAY}
                sample["series"] = traffic.series
                before, deeds = deeds, traffic.done.total()
                sample["lines"] /= max(1, deeds - before)
                report.samples.append(sample)
                tell(sample)
                time.sleep(LOOK)
        finally:
            traffic.end()
        report.done, report.failed, report.wrongs = traffic.done, traffic.failed, list(traffic.wrongs)
    finally:
        report.exit_code = house.close()
    gauge.read_log()
    report.loud = gauge.loud
    return report

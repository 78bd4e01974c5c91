"""What was aimed at, and whether a run has reached it: the first table of docs/measured.md.

Knows the goals. Does not know how anything was measured. Figures are medians; a goal that a run says nothing
about is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from tests.bench.figures import OURS, Section
from tests.bench.lookups import PROCESSES

__all__ = ["Goal", "goals"]

SIGNERS = (OURS, PROCESSES)  # whichever suits an operator better
OTHERS = {"postsrsd-1": "PostSRSd 1", "postsrsd-2": "PostSRSd 2"}
FLAT = 1.25  # times the shortest history's time
MIB = 2**20 / 1e6  # MB


@dataclass(frozen=True)
class Goal:
    """Something to be had, and what was had."""

    words: str
    wanted: float
    measured: float
    more: bool = True  #: is better
    places: int = 2  #: behind the point

    @property
    def reached(self) -> bool:
        return self.measured >= self.wanted if self.more else self.measured <= self.wanted


class Medians:
    """Of a part's lines, by case, contender and measure."""

    def __init__(self, sections: Sequence[Section], part: str) -> None:
        self._medians = {
            (line.case, line.who, measure.name): spread.median
            for section in sections
            if section.part == part
            for line in section.lines
            for measure in section.measures
            if (spread := line.spread(measure))
        }
        self.cases = list(dict.fromkeys(case for case, _, _ in self._medians))

    def of(self, case: str, measure: str, *names: str) -> list[float]:
        """Of those who were measured."""
        found = (self._medians.get((case, who, measure)) for who in names)
        return [value for value in found if value is not None]


def goals(sections: Sequence[Section]) -> Iterator[Goal]:
    """Each of which *sections* tell."""
    yield from _signing(Medians(sections, "verp"))
    for rate in Medians(sections, "intake").of("8 sessions, 5 KB", "mails/s", OURS):
        yield Goal("durable bounces a second, on SQLite", 1000, rate, places=0)
    yield from _reading(Medians(sections, "reading"))
    yield from _deciding(Medians(sections, "decisions"))
    for weight in Medians(sections, "resources").of("just started", "RSS MiB", OURS):
        yield Goal("MB of memory, just started", 60, weight * MIB, more=False, places=1)


def _signing(medians: Medians) -> Iterator[Goal]:
    kinds: list[tuple[str, str, Callable[[list[float]], float]]] = [
        ("answers a second", "requests/s", max),
        ("wait at p99", "p99 us", min),
    ]
    for (words, measure, best), (other, name) in product(kinds, OTHERS.items()):
        for case in medians.cases:
            ours, theirs = medians.of(case, measure, *SIGNERS), medians.of(case, measure, other)
            if ours and theirs:
                ratio = best(ours) / theirs[0]
                yield Goal(f"{name}'s {words} or better, {case}: x", 1, ratio if best is max else 1 / ratio)


def _reading(medians: Medians) -> Iterator[Goal]:
    for case in medians.cases:
        rates = medians.of(case, "mails/s", OURS, "sisimai")
        if len(rates) == 2 and "process" not in case:
            yield Goal(f"Sisimai's mails a second or better, {case}: x", 1, rates[0] / rates[1])
    for case in medians.cases:
        one = medians.of(case.replace("2 processes", "1 process"), "mails/s", OURS)
        two = medians.of(case, "mails/s", OURS)
        if "2 processes" in case and one and two:
            yield Goal(f"what one process reads, {case}: x", 1.8, two[0] / one[0])


def _deciding(medians: Medians) -> Iterator[Goal]:
    for measure in ("of a user with four, ms", "of the user who has them all, ms"):
        taken = [time for case in medians.cases for time in medians.of(case, measure, OURS)]
        if len(taken) > 1:
            words = (
                f"a decision {measure.removesuffix(', ms')}, {medians.cases[-1]} beside {medians.cases[0]}: x"
            )
            yield Goal(words, FLAT, taken[-1] / taken[0], more=False)

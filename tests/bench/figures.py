"""What was measured, as values: each round of each line of each table, and what may be said of them.

Knows medians, quartiles and ratios within a round. Does not know how a figure came about, nor how it is shown
(see tables.py, plot.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any

__all__ = ["OURS", "Line", "Measure", "Section", "Spread"]

OURS = "ours"


@dataclass(frozen=True)
class Spread:
    """Half of all rounds lie between *low* and *high*."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(low, median(values), high)


@dataclass(frozen=True)
class Measure:
    """A column. *better* tells which way a ratio is told: "more", "less", or "" if there is no better."""

    name: str  #: with its unit: "requests/s", "p99 us"
    better: str = ""
    places: int = 0  #: behind the point


@dataclass(frozen=True)
class Line:
    """What *who* did in a *case*: a value for each round, by the measure's name."""

    case: str
    who: str
    rounds: Mapping[str, Sequence[float]]

    def spread(self, measure: Measure) -> Spread | None:
        """None if nothing was measured."""
        values = self.rounds.get(measure.name)
        return Spread.of(values) if values else None


@dataclass(frozen=True)
class Section:
    """A table of one part. Contenders take turns, so that what disturbs a round disturbs all of them."""

    part: str
    title: str
    told: str  #: what a reader has to know of how it was measured
    measures: Sequence[Measure]
    lines: Sequence[Line]
    #: "who" compares others with us in the same case; "case" each line with the first one of the same
    #: contender; "" compares nothing
    compared: str = "who"
    versions: Mapping[str, str] = field(default_factory=dict)  #: of the contenders

    def ratio(self, line: Line, measure: Measure) -> Spread | None:
        """Within a round. Above 1 we are better; if cases are compared, how many times the first one."""
        base = self._base(line)
        if not (base and measure.better and line.rounds.get(measure.name) and base.rounds.get(measure.name)):
            return None
        pairs = list(zip(base.rounds[measure.name], line.rounds[measure.name], strict=False))
        if self.compared == "who" and measure.better == "more":
            return Spread.of([ours / theirs for ours, theirs in pairs if theirs] or [float("inf")])
        return Spread.of([theirs / first for first, theirs in pairs if first] or [float("inf")])

    def _base(self, line: Line) -> Line | None:
        for other in self.lines:
            if self.compared == "who" and other.who == OURS and other.case == line.case and line.who != OURS:
                return other
            if self.compared == "case" and other.who == line.who:
                return other if other is not line else None
        return None

    def as_json(self) -> dict[str, Any]:
        """All of it, with every round."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Section":
        """What ``as_json`` gave."""
        measures = [Measure(**one) for one in told["measures"]]
        return cls(**{**told, "measures": measures, "lines": [Line(**one) for one in told["lines"]]})

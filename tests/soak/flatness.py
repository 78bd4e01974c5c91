"""Whether a figure stays where it is.

Knows the rule: the first half of a run is warm-up. Over the second, the Theil-Sen slope (the median of the
slopes between all pairs of samples, which a spike does not move) times the time judged is the growth. It may
be as large as an allowance: so much of the median, or so much at least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

__all__ = ["ALLOWED", "Allowance", "Judged", "judge", "slope"]

MOST = 200  # samples that are compared with each other; of more, every second or third


@dataclass(frozen=True)
class Allowance:
    """Growth within the judged half that is no leak."""

    share: float  #: of the median
    least: float  #: in the figure's unit, however small the median is


ALLOWED = {
    "anonymous_kb": Allowance(0.02, 1024),
    "blocks": Allowance(0.02, 5000),
    "descriptors": Allowance(0.0, 3),  # connections that happen to be open
    "threads": Allowance(0.0, 1),
    "tasks": Allowance(0.0, 4),
    "series": Allowance(0.02, 10),
    "kb_per_notice": Allowance(0.2, 1),
    "oldest_days": Allowance(0.0, 1),  # retention keeps up
    "wal_kb": Allowance(0.25, 1024),
    "lines": Allowance(0.25, 0.5),  # for each deed of the traffic
    "verp_p50_ms": Allowance(0.5, 50),  # the machine may have others to serve
}


@dataclass(frozen=True)
class Judged:
    """One figure."""

    name: str
    median: float
    slope: float  #: per day of the soak's clock
    growth: float
    allowed: float

    @property
    def flat(self) -> bool:
        return self.growth <= self.allowed


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Theil-Sen's: y per x. 0 of fewer than two points."""
    thinned = points[:: max(1, len(points) // MOST)]
    slopes = [(y - v) / (x - u) for (u, v), (x, y) in combinations(thinned, 2) if x != u]
    return median(slopes) if slopes else 0.0


def judge(name: str, points: Sequence[tuple[float, float]]) -> Judged:
    """*points*: day and value, from the beginning of the run."""
    if not points:
        return Judged(name, 0.0, 0.0, 0.0, 0.0)
    days = points[0][0], points[-1][0]
    late = [point for point in points if point[0] >= sum(days) / 2]
    middle, grows = median(value for _, value in late), slope(late)
    allowance = ALLOWED[name]
    return Judged(
        name,
        middle,
        grows,
        grows * (late[-1][0] - late[0][0]),
        max(allowance.least, allowance.share * middle),
    )

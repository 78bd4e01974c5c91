"""What the passes of a race say: mails a second and ratios, each as a median with its quartiles.

Knows arithmetic and a table. Does not know how the passes came about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles

from tests.bench.contender import OURS, Pass

__all__ = ["Race", "Spread", "as_json", "as_text"]


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
class Race:
    """Some rounds over one set of mails: in each, every contender had one pass."""

    title: str
    mails: int  #: in the set
    repeats: int  #: of the set in one pass
    versions: Mapping[str, str]
    rounds: Sequence[Mapping[str, Pass]]

    def rate(self, name: str) -> Spread:
        """Mails a second by the clock on the wall."""
        return Spread.of([self.mails * self.repeats / one[name].seconds for one in self.rounds])

    def ratio(self, name: str) -> Spread:
        """How many mails we read while *name* reads one, within one round; above 1 we are faster."""
        return Spread.of([one[name].seconds / one[OURS].seconds for one in self.rounds])

    def cpu_ratio(self, name: str) -> Spread:
        """The same by time on a processor, which other programs disturb less."""
        return Spread.of([one[name].cpu / one[OURS].cpu for one in self.rounds])

    def share(self, name: str) -> float:
        """How much of its time *name* had a processor; 1 on a quiet machine."""
        return sum(one[name].cpu for one in self.rounds) / sum(one[name].seconds for one in self.rounds)

    def recognised(self, name: str) -> int:
        return self.rounds[-1][name].recognised


def as_text(race: Race) -> str:
    """A table for people."""
    lines = [
        f"{race.title}: {race.mails} mails, {len(race.rounds)} rounds of {race.repeats} x {race.mails}",
        f"  {'':20} {'mails/s':>8} {'quartiles':>15} {'recognised':>11} {'on CPU':>7}"
        f"   {'ours/theirs':>11} {'quartiles':>13} {'by CPU time':>12}",
    ]
    for name, version in race.versions.items():
        rate, quartiles = race.rate(name), f"{race.rate(name).low:.0f} - {race.rate(name).high:.0f}"
        line = f"  {version:20} {rate.median:8.0f} {quartiles:>15} {race.recognised(name):11}"
        line += f" {race.share(name):7.0%}"
        if name != OURS:
            ratio = race.ratio(name)
            line += f"   {ratio.median:11.2f} {f'{ratio.low:.2f} - {ratio.high:.2f}':>13}"
            line += f" {race.cpu_ratio(name).median:12.2f}"
        lines.append(line)
    return "\n".join(lines)


def as_json(race: Race) -> dict[str, object]:
    """Everything, for a machine."""
    return {
        "mails": race.mails,
        "repeats": race.repeats,
        "contenders": {
            name: {
                "version": version,
                "mails_per_second": asdict(race.rate(name)),
                "recognised": race.recognised(name),
                "on_cpu": race.share(name),
                "ours_to_theirs": asdict(race.ratio(name)),
                "ours_to_theirs_by_cpu": asdict(race.cpu_ratio(name)),
                "passes": [asdict(one[name]) for one in race.rounds],
            }
            for name, version in race.versions.items()
        },
    }

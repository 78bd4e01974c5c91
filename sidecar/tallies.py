"""What is counted for each mail that leaves, in plain numbers, as Prometheus wants to see them.

Knows how to count cheaply: prometheus_client takes a lock for each number, and a lookup counts some of them.
Only the event loop counts; anybody may look. Does not know names, help, nor when something counts.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["Durations", "LabelledDurations", "LabelledTallies", "Tally"]


class Tally:
    """How often something happened."""

    def __init__(self) -> None:
        self.number = 0

    def inc(self, by: int = 1) -> None:
        self.number += by


class Durations:
    """How long something took, in seconds: how often up to each of the *bounds*, and beyond the last."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def taken(self) -> tuple[list[int], float]:
        """All that was counted; begins anew."""
        taken = self.counts, self.total
        self.counts, self.total = [0] * len(self.counts), 0.0
        return taken

    def add(self, taken: tuple[list[int], float]) -> None:
        """What was ``taken`` from others with the same bounds."""
        counts, total = taken
        self.counts = [own + other for own, other in zip(self.counts, counts, strict=True)]
        self.total += total


class LabelledTallies(Collector):
    """A counter, with one tally for each value of its label."""

    def __init__(self, name: str, words: str, label: str) -> None:
        self._name, self._words, self._label = name, words, label
        self._tallies: dict[str, Tally] = {}

    def labels(self, value: str) -> Tally:
        return self._tallies.setdefault(value, Tally())

    def describe(self) -> Iterator[Metric]:
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._words, labels=[self._label])
        for value, tally in tuple(self._tallies.items()):
            family.add_metric([value], tally.number)
        yield family


class LabelledDurations(Collector):
    """A histogram, with the durations of each value of its label."""

    def __init__(self, name: str, words: str, label: str, bounds: tuple[float, ...]) -> None:
        self._name, self._words, self._label, self._bounds = name, words, label, bounds
        self._durations: dict[str, Durations] = {}

    def labels(self, value: str) -> Durations:
        return self._durations.setdefault(value, Durations(self._bounds))

    def describe(self) -> Iterator[Metric]:
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._words, labels=[self._label])
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for value, durations in tuple(self._durations.items()):
            reached = accumulate(durations.counts)  # Prometheus counts all up to a bound
            family.add_metric([value], list(zip(names, reached, strict=True)), durations.total)
        yield family

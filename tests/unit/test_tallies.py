"""What is counted in plain numbers looks to Prometheus like its own client's."""

from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.registry import Collector

from sidecar.tallies import LabelledDurations, LabelledTallies

BOUNDS = (0.001, 0.01, 0.1)


def seen(collector: Collector) -> Iterable[tuple[str, dict[str, str], float]]:
    return [(one.name, one.labels, one.value) for family in collector.collect() for one in family.samples]


def test_a_tally_looks_like_a_counter() -> None:
    theirs = Counter("mails", "words", ["result"], registry=None)
    ours = LabelledTallies("mails", "words", "result")
    for result, number in (("issued", 3), ("refused", 0), ("issued", 1)):
        theirs.labels(result).inc(number)
        for _ in range(number):
            ours.labels(result).inc()
        ours.labels(result)
    assert seen(ours) == seen(theirs)


@pytest.mark.parametrize("spans", [[], [0.0], [0.001, 0.0010001, 0.05], [0.1, 7.0, 0.002, 0.002]])
def test_durations_look_like_a_histogram(spans: list[float]) -> None:
    theirs = Histogram("answer_seconds", "words", ["door"], buckets=BOUNDS, registry=None)
    ours = LabelledDurations("answer_seconds", "words", "door", BOUNDS)
    for door in ("verp", "policy"):
        mine, other = ours.labels(door), theirs.labels(door)
        for span in spans:
            mine.observe(span)
            other.observe(span)
    assert seen(ours) == seen(theirs)


def test_what_was_counted_is_found_by_its_name() -> None:
    registry = CollectorRegistry()
    registry.register(ours := LabelledTallies("mails", "words", "result"))
    ours.labels("issued").inc()
    assert registry.get_sample_value("mails_total", {"result": "issued"}) == 1
    assert list(registry.restricted_registry(["mails_total"]).collect())

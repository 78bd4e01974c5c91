"""Which goals a run has reached, by what it measured; nothing is said of what it did not."""

import pytest

from tests.bench.figures import OURS, Line, Measure, Section
from tests.bench.goals import goals

RATE, WAIT = Measure("requests/s", "more"), Measure("p99 us", "less", 1)


def signing(**rates: float) -> Section:
    lines = [
        Line("8 connections", who.replace("_", "-"), {"requests/s": [rate], "p99 us": [1e6 / rate]})
        for who, rate in rates.items()
    ]
    return Section("verp", "Signing", "", (RATE, WAIT), lines)


@pytest.mark.parametrize(
    ("rates", "ratios"),
    [
        ({OURS: 300.0, "processes": 100.0, "postsrsd_1": 150.0, "postsrsd_2": 100.0}, [2.0, 3.0]),
        ({OURS: 100.0, "processes": 300.0, "postsrsd_1": 100.0, "postsrsd_2": 600.0}, [3.0, 0.5]),
        ({OURS: 100.0, "postsrsd_1": 100.0}, [1.0]),
    ],
)
def test_the_better_of_ours_is_held_against_each_of_theirs(
    rates: dict[str, float], ratios: list[float]
) -> None:
    told = list(goals([signing(**rates)]))
    assert [goal.measured for goal in told] == [pytest.approx(ratio) for ratio in ratios * 2]
    assert [goal.reached for goal in told] == [ratio >= 1 for ratio in ratios * 2]


@pytest.mark.parametrize(("weight", "reached"), [(57.0, True), (57.3, False)])
def test_what_shall_be_little_is_reached_by_less(weight: float, reached: bool) -> None:
    lines = [Line("just started", OURS, {"RSS MiB": [weight]})]
    [goal] = goals([Section("resources", "Memory", "", (Measure("RSS MiB", "less", 1),), lines)])
    assert goal.measured == pytest.approx(weight * 1.048576)
    assert goal.reached is reached


def test_a_run_of_other_parts_says_nothing_of_them() -> None:
    assert list(goals([signing(postsrsd_1=100.0)])) == []

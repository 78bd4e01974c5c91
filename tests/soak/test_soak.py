"""A slice of the soak: the daemon under all of its traffic for some seconds; and the rule that judges."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.campaign import EXPECTED
from tests.soak.flatness import ALLOWED, judge, slope
from tests.soak.gauge import Gauge, Sample
from tests.soak.house import House
from tests.soak.traffic import Traffic
from tests.support.waiting import until

HASTE = 3.0  # times as much of everything as in `make soak`
HELD = ("tasks", "descriptors", "threads")
#: Rooms start their threads when they are first needed, a wiki's session is kept for a while, and some loops
#: wait by a task of its own.
MORE = {"tasks": 4, "descriptors": 6, "threads": 8}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, seed=1, days=10)
    yield house
    house.close()


def busy(house: House, seed: int, deeds: int) -> Traffic:
    """After so many deeds."""
    traffic = Traffic(house, seed, HASTE)
    traffic.start()
    try:
        until(lambda: traffic.done.total() >= deeds and traffic.done["reload"] >= 2, "the traffic", 120)
    finally:
        traffic.end()
    return traffic


@pytest.mark.slow
def test_after_traffic_at_every_door_the_daemon_holds_what_it_held_before(house: House) -> None:
    gauge = Gauge(house.folder, house.process.pid, house.clock)
    busy(house, 1, 150)
    quiet = gauge.sample()
    traffic = busy(house, 2, 250)

    def held(sample: Sample) -> bool:
        return all(sample[name] <= quiet[name] + MORE[name] for name in HELD)

    until(lambda: held(gauge.sample()), "as little held as before", step=0.5)
    assert house.close() == 0
    gauge.read_log()
    assert set(gauge.loud) <= EXPECTED
    assert list(traffic.wrongs) == []
    assert traffic.done.keys() >= {"send", "deliver", "ask_policy", "reload", "visit", "scrape"}


def test_what_grows_is_not_flat_and_what_only_jumps_about_is() -> None:
    chance = random.Random(1)
    noise = [(day / 10, 100_000 + chance.uniform(-500, 500)) for day in range(600)]
    leak = [(day, value + 120 * day) for day, value in noise]
    assert judge("anonymous_kb", noise).flat
    assert not judge("anonymous_kb", leak).flat
    assert judge("anonymous_kb", leak).slope == pytest.approx(120, rel=0.1)


def test_what_happens_while_it_warms_up_and_a_spike_do_not_count() -> None:
    level = [(float(day), min(day, 20) * 5_000.0) for day in range(60)]
    level[50] = (50.0, 900_000.0)
    assert judge("anonymous_kb", level).flat


def test_every_figure_that_must_be_flat_is_judged_also_where_there_is_little_of_it() -> None:
    for name, allowance in ALLOWED.items():
        steps = [(float(day), day * (allowance.least + 1) / 10) for day in range(60)]
        assert not judge(name, steps).flat, name


def test_the_slope_of_a_line_is_its_own() -> None:
    assert slope([(x, 3.0 * x + 1) for x in range(10)]) == 3.0
    assert slope([(1.0, 5.0)]) == 0.0

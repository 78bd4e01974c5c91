"""How long a wiki in trouble is left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.wiki import WikiError, WikiMisconfigured, WikiUnavailable
from sidecar.services.circuit import Circuits, Pauses

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DOWN, WRONG = WikiUnavailable("down"), WikiMisconfigured("wrong password")


def lagged(retry_after: float) -> WikiUnavailable:
    return WikiUnavailable("lagged", retry_after=retry_after)


@pytest.fixture
def circuits() -> Circuits:
    return Circuits(Pauses())


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        ([DOWN] * 8, [5, 10, 20, 40, 80, 160, 300, 300]),
        ([WRONG] * 3, [300, 300, 300]),
        ([lagged(60)] * 6, [60, 60, 60, 60, 80, 160]),
        ([lagged(1)] * 2, [5, 10]),
        ([lagged(86400)], [300]),
        ([DOWN, WRONG, DOWN], [5, 300, 20]),
        ([DOWN] * 1000, [5, 10, 20, 40, 80, 160, *[300] * 994]),
    ],
    ids=["down", "wrong", "lagged", "lagged a little", "lagged for a day", "in turn", "down for days"],
)
def test_pauses(circuits: Circuits, failures: list[WikiError], seconds: list[int]) -> None:
    pauses = [circuits.failed("enwiki", failure, T0) for failure in failures]
    assert [pause / SECOND for pause in pauses] == seconds


def test_a_wiki_is_left_alone_until_its_pause_is_over_and_others_are_not(circuits: Circuits) -> None:
    assert circuits.open(T0) == set()
    circuits.failed("enwiki", DOWN, T0)
    assert circuits.open(T0) == {"enwiki"}
    assert circuits.open(T0 + 4.9 * SECOND) == {"enwiki"}
    assert circuits.open(T0 + 5 * SECOND) == set()


def test_an_answer_ends_the_pause_and_the_next_failure_starts_from_the_first(circuits: Circuits) -> None:
    for _ in range(5):
        circuits.failed("enwiki", DOWN, T0)
    circuits.answered("enwiki")
    assert circuits.open(T0) == set()
    assert circuits.failed("enwiki", DOWN, T0) == 5 * SECOND


def test_a_wrong_password_is_tried_less_often_than_mediawiki_counts() -> None:
    # $wgPasswordAttemptThrottle's first entry: 5 attempts in 300 seconds.
    assert Pauses().misconfigured * 5 > timedelta(seconds=300)
    assert Pauses().misconfigured >= timedelta(seconds=300)

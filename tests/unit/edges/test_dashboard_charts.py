"""Charts: every number is drawn, at any length, within what can be told apart."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from sidecar.edges.dashboard.ago import ago
from sidecar.edges.dashboard.charts import CURVES, bars
from sidecar.services.daily import Daily, Look, Series
from tests.support.dashboard import T0

SVG = "{http://www.w3.org/2000/svg}"


def drawn(days: int, *series: Series, narrow: bool = False) -> str:
    shown = tuple(date(2026, 11, 20) - timedelta(days=n) for n in range(days))[::-1]
    return bars(Daily(Look.CATEGORIES, shown, series), narrow=narrow).decode()


def labels(svg: str, axis: str) -> list[str | None]:
    root = ElementTree.fromstring(svg)
    [group] = [one for one in root.iter(f"{SVG}g") if one.get("class", "").startswith(f"axis {axis}")]
    return [text.text for text in group.iter(f"{SVG}text")]


@pytest.mark.parametrize("days", [1, 7, 30, 90])
@pytest.mark.parametrize("narrow", [False, True])
def test_a_bar_for_each_day_and_labels_that_do_not_crowd(days: int, narrow: bool) -> None:
    svg = drawn(days, Series("hard", (3,) * days), Series("soft", (1,) * days), narrow=narrow)
    assert len(re.findall('class="rect reactive', svg)) == 2 * days
    told = labels(svg, "x")
    assert 1 <= len(told) <= (4 if narrow else 10) + 1
    assert set(told) <= {f"{day} {month}" for day in range(1, 32) for month in ("Aug", "Sep", "Oct", "Nov")}


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (5, ["0", "1", "2", "3", "4", "5"]),
        (44, ["0", "10", "20", "30", "40", "50"]),
        (12_345, ["0", "5,000", "10,000", "15,000"]),
    ],
)
def test_the_axis_has_whole_numbers(most: int, expected: list[str]) -> None:
    assert labels(drawn(2, Series("hard", (most, 0))), "y") == expected


def test_no_more_curves_than_can_be_told_apart_and_none_is_lost() -> None:
    svg = drawn(1, *(Series(f"s{n}", (10 - n,)) for n in range(10)))
    legend = re.findall(r"<text[^>]*>([^<]*)</text>", svg.partition('class="legends"')[2])
    assert legend == ["s0", "s1", "s2", "s3", "s4", "others"]
    assert len(legend) == CURVES


def test_names_are_no_markup() -> None:
    assert "<script>" not in drawn(1, Series("<script>", (1,)))


def test_nothing_is_drawn_as_nothing() -> None:
    assert drawn(7).startswith("<svg ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (172_800, "2 days ago"),
        (86_400 * 400, "1 year ago"),
        (-90, "in 1 minute"),
        (-0.5, "now"),
    ],
)
def test_how_long_ago(seconds: float, words: str) -> None:
    assert ago(T0 - timedelta(seconds=seconds), T0) == words

"""Charts: every number is drawn, at any length, within what can be told apart."""

import re
from xml.etree import ElementTree

import pytest

from sidecar.edges.charts import CURVES, FILE, LIST, PAGE, PHONE, Frame, bars

SVG = "{http://www.w3.org/2000/svg}"
FRAMES = {"page": PAGE, "phone": PHONE, "file": FILE, "list": LIST}
each_frame = pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)


def drawn(count: int, frame: Frame = PAGE, **series: int) -> str:
    """So many bars, each the same."""
    names = [f"bar {n}" for n in range(count)]
    return bars("Title", "About.", names, {name: [value] * count for name, value in series.items()}, frame)


def labels(svg: str, axis: str) -> list[str | None]:
    root = ElementTree.fromstring(svg)
    [group] = [one for one in root.iter(f"{SVG}g") if one.get("class", "").startswith(f"axis {axis}")]
    return [text.text for text in group.iter(f"{SVG}text")]


@pytest.mark.parametrize("count", [1, 7, 30, 90])
@each_frame
def test_a_bar_for_each_and_labels_that_do_not_crowd(count: int, frame: Frame) -> None:
    svg = drawn(count, frame, hard=3, soft=1)
    assert len(re.findall('class="rect reactive', svg)) == 2 * count
    told = labels(svg, "y" if frame.lying else "x")
    assert set(told) <= {f"bar {n}" for n in range(count)}
    if frame.lying:
        assert told[::-1] == [f"bar {n}" for n in range(count)], "the first is above"
    else:
        assert 1 <= len(told) <= frame.labels + 1


@each_frame
def test_each_bar_tells_its_number_without_a_script(frame: Frame) -> None:
    root = ElementTree.fromstring(bars("Title", "About.", ["a", "b"], {"hard": [1234, 5]}, frame))
    shown = [one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}g") if one.get("class") == "bar"]
    assert sorted(map(str, shown)) == ["1,234, a", "5, b"]


@each_frame
def test_nothing_but_a_picture_told_in_words(frame: Frame) -> None:
    svg = drawn(3, frame, hard=3)
    assert re.findall(r"<script|xlink|href|onload|url\(|@import|pygal\.org|<!--", svg) == []
    assert set(re.findall(r"https?:[^\"' <]*", svg)) == {"http://www.w3.org/2000/svg"}
    assert "@media (prefers-color-scheme: dark)" in svg
    root = ElementTree.fromstring(svg)
    named = {one.get("id"): one.text for one in root.iter()}
    assert [named[one] for one in root.attrib["aria-labelledby"].split()] == ["Title", "About."]
    assert ("Title" in [text.text for text in root.iter(f"{SVG}text")]) == frame.alone
    assert drawn(3, frame, hard=3) == svg


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
    assert labels(drawn(2, hard=most), "y") == expected
    assert labels(drawn(2, LIST, hard=most), "x") == expected


def test_no_more_curves_than_can_be_told_apart_and_none_is_lost() -> None:
    svg = drawn(1, **{f"s{n}": 10 - n for n in range(10)})
    legend = re.findall(r"<text[^>]*>([^<]*)</text>", svg.partition('class="legends"')[2])
    assert legend == ["s0", "s1", "s2", "s3", "s4", "others"]
    assert len(legend) == CURVES
    assert "<title>15, bar 0</title>" in svg, "5, 4, 3, 2, 1"


def test_names_are_no_markup_and_do_no_harm() -> None:
    svg = bars("<b>\x01", "\x1b", ["<i>"], {"<script>\x00": [1]}, FILE)
    assert re.findall(r"<script|<b>|<i>", svg) == []
    ElementTree.fromstring(svg)


@pytest.mark.parametrize("name", ["a\x01b", "\x1b[2J", "\ud800", "\ufffe", "\u202eevil"])
def test_names_that_no_image_may_hold_are_spelled(name: str) -> None:
    svg = drawn(1, **{name: 1})
    assert name not in svg
    ElementTree.fromstring(svg)


@each_frame
def test_nothing_is_drawn_as_nothing(frame: Frame) -> None:
    assert drawn(0, frame).startswith("<svg ")
    assert drawn(7, frame).startswith("<svg ")
    assert drawn(7, frame, hard=0).startswith("<svg ")

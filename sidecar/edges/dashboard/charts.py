"""Bars for each day, as an SVG image of its own: no script, readable in the dark, no wider than a phone.

Knows pygal, and what of its drawings belongs into an image. Does not know what the numbers mean.
"""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from xml.etree import ElementTree

import pygal

from sidecar.services.daily import Daily, Series

__all__ = ["CURVES", "bars"]

CURVES = 6  # colours that can be told apart; what is left is drawn as one
_STYLE = (files("sidecar.edges.dashboard") / "static" / "chart.css").read_text("utf-8")
_NAMESPACE = "http://www.w3.org/2000/svg"
_SVG = f"{{{_NAMESPACE}}}"
ElementTree.register_namespace("", _NAMESPACE)
_LEFT_OUT = {f"{_SVG}{name}" for name in ("script", "desc", "title")}
_WIDE, _NARROW = (1060, 260), (400, 300)
_LABELS = {False: 10, True: 4}  # of days, at most; by narrow
_STEPS = (1, 2, 5)


def bars(shown: Daily, *, narrow: bool) -> bytes:
    """One bar a day, its curves upon each other. Takes some hundredths of a second."""
    width, height = _NARROW if narrow else _WIDE
    series = _few(shown.series) or [Series("none", (0,) * len(shown.days))]
    chart = pygal.StackedBar(
        width=width,
        height=height,
        explicit_size=True,
        js=(),
        css=(),
        no_prefix=True,
        disable_xml_declaration=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=2 if narrow else len(series) or 1,
        truncate_legend=-1,
        truncate_label=-1,
        legend_box_size=10,
        margin=4,
        spacing=8,
        show_minor_x_labels=False,
        value_formatter=lambda value: f"{value:,.0f}",
    )
    chart.x_labels = [_told(day) for day in shown.days]
    every = -(-len(shown.days) // _LABELS[narrow])
    chart.x_labels_major = [_told(day) for day in shown.days[::-1][every // 2 :: every]]
    by_day = zip(*(one.numbers for one in series), strict=True)
    chart.y_labels = _ticks(max(map(sum, by_day), default=0))
    for one in series:
        chart.add(one.name, list(one.numbers))
    return _image(chart.render())


def _few(series: Sequence[Series]) -> list[Series]:
    """The first of them, and the others as one."""
    if len(series) <= CURVES:
        return list(series)
    rest = series[CURVES - 1 :]
    together = tuple(map(sum, zip(*(one.numbers for one in rest), strict=True)))
    return [*series[: CURVES - 1], Series("others", together)]


def _told(day: date) -> str:
    return f"{day.day} {day:%b}"


def _ticks(most: int) -> list[int]:
    """Up to six whole numbers from 0 to *most* or more."""
    step, power = 1, 0
    while step * 5 < most:
        power += 1
        step = _STEPS[power % 3] * 10 ** (power // 3)
    return list(range(0, -(-max(most, 1) // step) * step + 1, step))


def _image(drawn: bytes) -> bytes:
    """What pygal has drawn, without what only a script would use."""
    root = ElementTree.fromstring(drawn)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in _LEFT_OUT or "tooltip-overlay" in child.get("class", ""):
                parent.remove(child)
    style = root.find(f".//{_SVG}style")
    assert style is not None
    style.text = _STYLE
    image: bytes = ElementTree.tostring(root, "utf-8")
    return image

"""Numbers as a picture: an SVG that needs nothing else, to be saved, mailed or shown in a page.

Knows pygal, and what of its drawings must not leave: a script, links, the day. Does not know what the numbers
mean. Readable on light and dark grounds, and told in words to whoever cannot see it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from sidecar.domain.harmless import harmless

__all__ = ["CURVES", "FILE", "LIST", "PAGE", "PHONE", "Frame", "bars"]

CURVES = 6  # colours that can be told apart; what is left is drawn as one
_STYLE = (files("sidecar.edges") / "chart.css").read_text("utf-8")
_NAMESPACE = "http://www.w3.org/2000/svg"
_SVG = f"{{{_NAMESPACE}}}"
ElementTree.register_namespace("", _NAMESPACE)
_LEFT_OUT = {f"{_SVG}{name}" for name in ("script", "desc", "title")}
_NUMBER = ("value", "x_label")  # of pygal's descriptions of a bar
_STEPS = (1, 2, 5)
_SIZES = Style(
    label_font_size=12, major_label_font_size=12, legend_font_size=13
)  # how much room pygal leaves

T = TypeVar("T")


@dataclass(frozen=True)
class Frame:
    """Where a picture is shown."""

    width: int
    height: int  #: for each bar, if they lie
    labels: int = 10  #: along the axis, at most; more would lie upon each other
    columns: int = CURVES  #: of the legend
    alone: bool = False  #: with a title and a ground of its own: there is no page around it
    lying: bool = False  #: bars from left to right, all of them labelled


PAGE, PHONE = Frame(1060, 260), Frame(400, 300, labels=4, columns=2)
FILE, LIST = Frame(1060, 420, alone=True), Frame(1060, 26, alone=True, lying=True)


def bars(
    title: str, about: str, labels: Sequence[str], series: Mapping[str, Sequence[int]], frame: Frame
) -> str:
    """A bar for each of *labels*, with the *series* upon each other.

    *about* is what somebody is told who cannot see it. The same values make the same text. Takes some
    hundredths of a second.
    """
    named = [harmless(label) for label in labels]
    drawn = _few(series) or {"none": [0] * len(named)}
    chart = (pygal.HorizontalStackedBar if frame.lying else pygal.StackedBar)(
        style=_SIZES,
        width=frame.width,
        height=frame.height * len(named) + 140 if frame.lying else frame.height,
        explicit_size=True,
        js=(),
        css=(),
        no_prefix=True,
        disable_xml_declaration=True,
        title=harmless(title) if frame.alone else None,
        legend_at_bottom=True,
        legend_at_bottom_columns=min(frame.columns, len(drawn)),
        truncate_legend=-1,
        truncate_label=-1,
        legend_box_size=10,
        margin=4,
        spacing=8,
        show_minor_x_labels=frame.lying,
        value_formatter=lambda value: f"{value:,.0f}",
    )
    chart.x_labels = _from_above(named, frame)
    every = -(-len(named) // frame.labels)
    if named and not frame.lying:
        chart.x_labels_major = named[::-1][every // 2 :: every]
    chart.y_labels = _ticks(max(map(sum, zip(*drawn.values(), strict=True)), default=0))
    for name, values in drawn.items():
        chart.add(harmless(name), _from_above(values, frame))
    own = hashlib.sha256(repr((title, about, named, drawn)).encode()).hexdigest()[:12]
    return _image(chart.render(), f"chart-{own}", (harmless(title), harmless(about)), frame)


def _few(series: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """The first of them, and the others as one."""
    if len(series) <= CURVES:
        return dict(series)
    rest = list(series.values())[CURVES - 1 :]
    return {**dict(list(series.items())[: CURVES - 1]), "others": list(map(sum, zip(*rest, strict=True)))}


def _from_above(values: Sequence[T], frame: Frame) -> list[T]:
    """pygal begins below."""
    return list(reversed(values) if frame.lying else values)


def _ticks(most: int) -> list[int]:
    """Up to six whole numbers from 0 to *most* or more."""
    step, power = 1, 0
    while step * 5 < most:
        power += 1
        step = _STEPS[power % 3] * 10 ** (power // 3)
    return list(range(0, -(-max(most, 1) // step) * step + 1, step))


def _image(drawn: str, own: str, told: tuple[str, str], frame: Frame) -> str:
    """What pygal has drawn, without what only a script would use; with what a screen reader reads."""
    root = ElementTree.fromstring(drawn)
    for parent in list(root.iter()):
        number = [child.text or "" for child in parent if child.get("class") in _NUMBER]
        for child in list(parent):
            if child.tag in _LEFT_OUT or "tooltip-overlay" in child.get("class", ""):
                parent.remove(child)
        if number:  # pygal hands it to its script; a title is what a browser shows by itself
            parent.append(_words("title", ", ".join(number)))
    style = root.find(f".//{_SVG}style")
    assert style is not None
    style.text = _STYLE
    for at, (kind, text) in enumerate(zip(("title", "desc"), told, strict=True)):
        root.insert(at, _words(kind, text, id=f"{own}-{kind}"))
    kinds = {"chart": True, "alone": frame.alone, "lying": frame.lying}
    root.set("class", " ".join(kind for kind, is_one in kinds.items() if is_one))
    root.set("role", "img")
    root.set("aria-labelledby", f"{own}-title {own}-desc")
    root.attrib.pop("id", None)
    return f"{ElementTree.tostring(root, encoding='unicode')}\n"


def _words(kind: str, text: str, **attributes: str) -> ElementTree.Element:
    words = ElementTree.Element(f"{_SVG}{kind}", attributes)
    words.text = text
    return words

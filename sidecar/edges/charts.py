"""Numbers as a picture: an SVG that needs nothing else, to be saved, mailed or shown in a page.

Knows pygal, and what it adds that must not leave: a script, links, the day. Does not know what the numbers
mean. Readable on light and dark grounds, and told in words to whoever cannot see it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pygal
from pygal.etree import etree
from pygal.style import Style

from sidecar.domain.harmless import harmless

__all__ = ["bars"]

COLOURS = ("#c0392b", "#5d7fa3", "#3f8f5f", "#b07d2b")  # told apart by who cannot see red or green
MOST_LABELS = 12  # of days along an axis; more would lie upon each other

T = TypeVar("T")

STYLE = Style(
    background="#ffffff",
    plot_background="#ffffff",
    foreground="#333333",
    foreground_strong="#111111",
    foreground_subtle="#8a8a8a",
    font_family="system-ui, sans-serif",
    guide_stroke_color="#c8c8c8",
    major_guide_stroke_color="#c8c8c8",
    colors=COLOURS,
)
DARK = (
    "inline:@media (prefers-color-scheme: dark) {{ "
    "#{id} .background {{ fill: #16181d !important; }} "
    "#{id} text {{ fill: #e6e6e6 !important; }} "
    "#{id} .axis path, #{id} .axis line {{ stroke: #8a8a8a !important; }} }}"
)


def bars(
    title: str,
    about: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    lying: bool = False,
) -> str:
    """A bar for each of *labels*, with the *series* upon each other; *lying* where the labels are long.

    *about* is what somebody is told who cannot see it. The same values make the same text.
    """
    named = [harmless(label) for label in labels]
    said = "\0".join((title, about, *named, *(f"{name}{list(values)}" for name, values in series.items())))
    own = f"chart-{hashlib.sha256(said.encode()).hexdigest()[:12]}"
    kind = pygal.HorizontalStackedBar if lying else pygal.StackedBar
    chart = kind(
        style=STYLE,
        css=["file://style.css", "file://graph.css", DARK.format(id=own)],
        js=[],
        title=harmless(title),
        legend_at_bottom=True,
        x_label_rotation=0 if lying else 45,
        show_minor_x_labels=lying or len(named) <= MOST_LABELS,
        height=max(300, 26 * len(named) + 140) if lying else 420,
        include_x_axis=True,
    )
    chart.uuid = own.removeprefix("chart-")
    chart.x_labels = _from_above(named, lying)
    if not lying and len(named) > MOST_LABELS:
        chart.x_labels_major = named[:: -(-len(named) // MOST_LABELS)]
    for name, values in series.items():
        chart.add(harmless(name), _from_above(values, lying), formatter=_number)
    return _alone(chart.render_tree(), own, harmless(about))


def _from_above(values: Sequence[T], lying: bool) -> list[T]:
    """pygal begins below."""
    return list(reversed(values) if lying else values)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"


def _alone(root: Any, own: str, about: str) -> str:
    """Without what is not a picture; with what a screen reader reads."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag is etree.Comment or str(child.tag).rpartition("}")[2] == "script":
                parent.remove(child)
    title = next(child for child in root if str(child.tag).rpartition("}")[2] == "title")
    title.set("id", f"{own}-title")
    told = etree.Element(title.tag.replace("title", "desc"), {"id": f"{own}-about"})
    told.text = about
    root.insert(list(root).index(title) + 1, told)
    root.set("role", "img")
    root.set("aria-labelledby", f"{own}-title {own}-about")
    return f"{etree.tostring(root, encoding='unicode')}\n"

"""The ratios of all sections as a picture: an SVG with a bar between the quartiles, a mark at the median.

Knows a logarithmic axis. Does not know what the figures mean.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape

from tests.bench.figures import Section, Spread

__all__ = ["as_svg"]

LEFT, WIDTH, ROW, HEAD, FOOT = 430, 860, 19, 44, 26  # pixels
TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
BETTER, WORSE = "#1b7f5c", "#b5482f"
STYLE = "text{font:12px sans-serif;fill:#333}.head{font-weight:bold}.axis{stroke:#ddd}.one{stroke:#555}"


def as_svg(sections: Sequence[Section]) -> str:
    """One line for each ratio to somebody else."""
    rows = list(_rows(sections))
    height = HEAD + ROW * len(rows) + FOOT
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"><style>{STYLE}</style>']
    out.append(f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>')
    out.append(
        '<text x="8" y="18" class="head">Ratio to others, within a round: above 1 we are better</text>'
    )
    for tick in TICKS:
        kind, x = ("one" if tick == 1 else "axis"), _x(tick)
        out.append(f'<path class="{kind}" d="M{x} {HEAD - 8}V{height - FOOT}"/>')
        out.append(f'<text x="{x}" y="{height - 8}" text-anchor="middle">{tick:g}</text>')
    for at, (label, spread) in enumerate(rows):
        out += _row(label, spread, HEAD + ROW * at)
    return "\n".join([*out, "</svg>"]) + "\n"


def _rows(sections: Sequence[Section]) -> Iterator[tuple[str, Spread]]:
    for section in sections:
        for line in section.lines if section.compared == "who" else ():
            for measure in section.measures:
                if spread := section.ratio(line, measure):
                    yield f"{line.case}, {measure.name}: {section.versions.get(line.who, line.who)}", spread


def _row(label: str, spread: Spread, top: int) -> Iterator[str]:
    colour = BETTER if spread.median >= 1 else WORSE
    low, middle, high = (_x(value) for value in (spread.low, spread.median, spread.high))
    yield f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(label)}</text>'
    size = f'width="{max(high - low, 1):.1f}" height="9"'
    yield f'<rect x="{low}" y="{top + 5}" {size} fill="{colour}" opacity=".4"/>'
    yield f'<circle cx="{middle}" cy="{top + 9.5}" r="3.5" fill="{colour}"/>'
    yield f'<text x="{WIDTH - 6}" y="{top + 13}" text-anchor="end">{spread.median:.2f}</text>'


def _x(value: float) -> float:
    lowest, highest = math.log(TICKS[0]), math.log(TICKS[-1])
    share = (math.log(min(max(value, TICKS[0]), TICKS[-1])) - lowest) / (highest - lowest)
    return round(LEFT + share * (WIDTH - LEFT - 60), 1)

"""Sections as tables: for a terminal, and for docs/measured.md, which is made of bench/results.json alone.

Knows how figures are spelled. Does not know how they were measured.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.figures import Measure, Section, Spread
from tests.bench.goals import Goal, goals

__all__ = ["as_markdown", "as_text", "document"]

HEAD = """\
# What was measured

Written by `make bench` from [bench/results.json](../bench/results.json), which has every round; a test holds
that the two agree. These are figures of one run on one machine, not promises: what is worth quoting is a
ratio.

{machine}

Figures are the median of the rounds, and in brackets the quartiles: half of the rounds lie between them.
Within a round the contenders take turns, another one first each time, and a ratio is taken within the round.
**x** is that ratio: above 1 we are better, whether more or less is better; where sizes are compared, it is
how many times the first line a line takes. [testing.md](testing.md#make-bench) tells how to repeat it, and
what each part does.

![Ratios to others, with quartiles](../bench/plot.svg)
"""


GOALS = """\
## What was aimed at

Of medians. Beside each PostSRSd (version 1 is Debian's) the better of ours, with or without processes that
sign.

| aim | wanted | measured | reached |
| --- | ---: | ---: | --- |
"""


def as_text(section: Section) -> str:
    """For people at a terminal."""
    rows = [_heading(section), *_rows(section)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  "
        + "  ".join(
            cell.rjust(width) if at > 1 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([f"{section.part}: {section.title}", *lines])


def as_markdown(section: Section) -> str:
    """A heading, what there is to know, and the table."""
    heading = _heading(section)
    rule = ["---" if at < 2 else "---:" for at in range(len(heading))]
    table = "\n".join("| " + " | ".join(row) + " |" for row in (heading, rule, *_rows(section)))
    return f"### {section.title}\n\n{section.told}\n\n{table}\n"


def document(told: Mapping[str, Any]) -> str:
    """The whole of docs/measured.md."""
    sections = [Section.from_json(one) for one in told["sections"]]
    text = HEAD.format(machine=_machine(told["machine"]))
    if aims := list(goals(sections)):
        text += f"\n{GOALS}" + "".join(map(_aim, aims))
    for part in dict.fromkeys(section.part for section in sections):
        text += f'\n## {part.capitalize()}\n\n    make bench ARGS="{part}"\n\n'
        text += "\n".join(as_markdown(section) for section in sections if section.part == part)
    return text


def _aim(goal: Goal) -> str:
    limit = "at least" if goal.more else "at most"
    wanted, measured = (f"{value:,.{goal.places}f}" for value in (goal.wanted, goal.measured))
    return f"| {goal.words} | {limit} {wanted} | {measured} | {'yes' if goal.reached else 'no'} |\n"


def _machine(facts: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _heading(section: Section) -> list[str]:
    row = ["", ""]
    for measure in section.measures:
        row += [measure.name, *(["x"] if _is_compared(section, measure) else [])]
    return row


def _rows(section: Section) -> Iterator[list[str]]:
    before = ""
    for line in section.lines:
        row = ["" if line.case == before else line.case, section.versions.get(line.who, line.who)]
        before = line.case
        for measure in section.measures:
            row.append(_figure(line.spread(measure), measure.places))
            if _is_compared(section, measure):
                row.append(_figure(section.ratio(line, measure), 2))
        yield row


def _is_compared(section: Section, measure: Measure) -> bool:
    return any(section.ratio(line, measure) for line in section.lines)


def _figure(spread: Spread | None, places: int) -> str:
    if spread is None:
        return ""
    low, middle, high = (f"{value:,.{places}f}" for value in (spread.low, spread.median, spread.high))
    return middle if low == high else f"{middle} ({low} - {high})"

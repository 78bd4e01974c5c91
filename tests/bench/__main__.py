"""Measure side by side, print tables, write bench/results.json, a plot and docs/measured.md: ``make bench``.

Knows which parts there are and where what they say goes. Asserts nothing: a time is no promise.

Only a run of all parts writes into the repository; some of them, or a quick run, print, and write where
--into says.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench import dashboard, decisions, intake, reading, resources, verp
from tests.bench.figures import Section
from tests.bench.machine import facts
from tests.bench.plot import as_svg
from tests.bench.settings import QUICK, Settings
from tests.bench.tables import as_text, document

__all__ = ["PARTS", "main", "write"]

ROOT = Path(__file__).resolve().parents[2]
#: In this order: what is disturbed most by others comes first, on a machine that has just become quiet.
PARTS: Mapping[str, Callable[[Settings], Iterator[Section]]] = {
    "verp": verp.measure,
    "intake": intake.measure,
    "reading": reading.measure,
    "decisions": decisions.measure,
    "dashboard": dashboard.measure,
    "resources": resources.measure,
}
NUMBERS = {
    "rounds": "of each contender",
    "seconds": "of a pass of lookups",
    "mails": "that are delivered in a pass",
    "longest": "bounces of the longest history in which is decided and looked",
    "most": "bounces in the history of a daemon, and watched users",
    "archived": "mails that are replayed",
}


def main(words: Sequence[str] | None = None) -> None:
    """Raises whatever makes a contender fail: a figure that is wrong is worse than none."""
    given = list(sys.argv[1:] if words is None else words)
    chosen = _chosen(given)
    changes = {name: value for name in NUMBERS if (value := getattr(chosen, name)) is not None}
    settings = replace(QUICK if chosen.quick else Settings(), **changes)
    told: dict[str, Any] = {"machine": facts(" ".join(given)), "sections": []}
    for name, value in told["machine"].items():
        print(f"{name}: {value}")
    for part in chosen.parts or PARTS:
        begin = perf_counter()
        for section in PARTS[part](settings):
            told["sections"].append(section.as_json())
            print("\n" + as_text(section), flush=True)
        print(f"\n{part} took {perf_counter() - begin:.0f} s", flush=True)
    if into := chosen.into or (None if chosen.parts or chosen.quick else ROOT):
        write(told, into)


def write(told: Mapping[str, Any], into: Path) -> None:
    """The three files, below *into*."""
    (into / "bench").mkdir(exist_ok=True)
    (into / "docs").mkdir(exist_ok=True)
    (into / "bench/results.json").write_text(json.dumps(told, indent=1) + "\n")
    (into / "bench/plot.svg").write_text(as_svg([Section.from_json(one) for one in told["sections"]]))
    (into / "docs/measured.md").write_text(document(told))


def _chosen(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n")[0])
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=", ".join(PARTS) + "; all of them if none is named"
    )
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    for name, about in NUMBERS.items():
        about += f"; default {getattr(Settings(), name)}"
        parser.add_argument(f"--{name}", type=kinds[name], metavar="N", help=about)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="write the files below this folder")
    chosen = parser.parse_args(words)
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return chosen


if __name__ == "__main__":
    main()

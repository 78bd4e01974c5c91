"""docs/measured.md and the picture say what bench/results.json says, and nothing else."""

import json
from pathlib import Path

from tests.bench.figures import Section
from tests.bench.plot import as_svg
from tests.bench.tables import document

ROOT = Path(__file__).parents[2]
TOLD = json.loads((ROOT / "bench/results.json").read_text())


def test_the_tables_are_those_of_the_results() -> None:
    assert (ROOT / "docs/measured.md").read_text() == document(TOLD), "make bench writes both"


def test_the_picture_is_that_of_the_results() -> None:
    sections = [Section.from_json(one) for one in TOLD["sections"]]
    assert (ROOT / "bench/plot.svg").read_text() == as_svg(sections), "make bench writes both"

"""What is said of measured rounds: medians, quartiles and ratios, as values, tables and a picture."""

import json
from dataclasses import replace

from tests.bench.figures import OURS, Line, Measure, Section, Spread
from tests.bench.plot import as_svg
from tests.bench.settings import rounds_of
from tests.bench.tables import as_markdown, as_text, document

RATE, WAIT, NUMBER = Measure("mails/s", "more"), Measure("p99 ms", "less", 1), Measure("recognised")
LINES = [
    Line("one", OURS, {"mails/s": [20.0, 10.0, 30.0], "p99 ms": [1.0, 2.0, 3.0], "recognised": [5]}),
    Line("one", "other", {"mails/s": [10.0, 5.0, 10.0], "p99 ms": [2.0, 3.0, 12.0]}),
    Line("two", OURS, {"mails/s": [40.0, 30.0, 30.0]}),
]
SECTION = Section("part", "A title", "How.", (RATE, WAIT, NUMBER), LINES, "who", {"other": "they 2"})


def test_half_of_the_rounds_lie_between_the_quartiles() -> None:
    assert Spread.of([10.0, 5.0, 10.0 / 3]) == Spread(25 / 6, 5.0, 7.5)
    assert Spread.of([4.0]) == Spread(4.0, 4.0, 4.0)


def test_a_ratio_compares_within_the_round_and_is_above_1_where_we_are_better() -> None:
    assert SECTION.ratio(LINES[1], RATE) == Spread(2.0, 2.0, 2.5)
    assert SECTION.ratio(LINES[1], WAIT) == Spread(1.75, 2.0, 3.0)
    assert SECTION.ratio(LINES[0], RATE) is None  # us with ourselves
    assert SECTION.ratio(LINES[1], NUMBER) is None  # no better and no worse
    assert SECTION.ratio(LINES[2], RATE) is None  # nobody else was in that case


def test_cases_are_compared_with_the_first_of_the_same_contender() -> None:
    sizes = replace(SECTION, compared="case")
    assert sizes.ratio(LINES[2], RATE) == Spread(1.5, 2.0, 2.5)
    assert sizes.ratio(LINES[0], RATE) is None
    assert sizes.ratio(LINES[1], RATE) is None


def test_a_table_names_versions_and_leaves_out_what_was_not_measured() -> None:
    rows = as_markdown(SECTION).splitlines()
    assert rows[0] == "### A title"
    assert "| one | ours | 20 (15 - 25) |  | 2.0 (1.5 - 2.5) |  | 5 |" in rows
    assert (
        "|  | they 2 | 10 (8 - 10) | 2.00 (2.00 - 2.50) | 3.0 (2.5 - 7.5) | 2.00 (1.75 - 3.00) |  |" in rows
    )
    assert "they 2" in as_text(SECTION)


def test_all_of_it_survives_json() -> None:
    again = Section.from_json(json.loads(json.dumps(SECTION.as_json())))
    assert again.as_json() == json.loads(json.dumps(SECTION.as_json()))
    told = {"machine": {"processors": "2"}, "sections": [SECTION.as_json()]}
    assert "- processors: 2" in document(told)
    assert as_markdown(again) in document(told)


def test_the_picture_shows_each_ratio_to_others() -> None:
    picture = as_svg([SECTION])
    assert picture.count("<circle") == 2
    assert "one, mails/s: they 2" in picture


def test_contenders_take_turns_and_another_one_is_first_in_each_round() -> None:
    order: list[str] = []

    def passing(name: str) -> dict[str, float]:
        order.append(name)
        return {"n": len(order)}

    taken = rounds_of({name: lambda name=name: passing(name) for name in "abc"}, 2)
    assert "".join(order) == "abcbca"
    assert taken["a"] == {"n": [1, 6]}

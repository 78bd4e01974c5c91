"""Words are found as if each had been tried, and rules as if each had been asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.notice import read
from sidecar.domain.report import Report, ReportAction
from sidecar.domain.rule import sample_report
from sidecar.domain.sought import Sought

from .rulebook import ROOT, shipped

BOOK = shipped()
NEEDED = sorted({word for rule in BOOK.rules for phrase in rule.text for word in phrase.needed})
SAMPLES = [sample for rule in BOOK.rules for sample in rule.samples]
REPORTS = [
    *map(sample_report, SAMPLES),
    *(
        report
        for path in sorted((ROOT / "fixtures/bounces").glob("*/*.eml"))
        for report in read(path.read_bytes()).reports
        if not report.status.startswith("2")
    ),
]

few_letters = st.text("abc用户", max_size=12)
mixed_samples = st.lists(st.sampled_from([*NEEDED, *SAMPLES]), max_size=6).map(" ".join)
codes = st.builds("{}.{}.{}".format, st.sampled_from("245"), st.integers(0, 9), st.integers(0, 35))


@given(st.sets(few_letters.filter(bool)), few_letters | st.text("abc用户", max_size=200))
def test_every_word_that_stands_there_is_found_and_no_other(words: set[str], text: str) -> None:
    assert Sought(words).present(text) == {word for word in words if word in text}


@pytest.mark.slow
@given(mixed_samples | st.text(max_size=60))
def test_so_is_every_word_that_a_rule_needs(text: str) -> None:
    text = text.lower()
    assert Sought(NEEDED).present(text) == {word for word in NEEDED if word in text}


def test_words_of_two_and_of_one_letter_are_found_too() -> None:
    assert Sought(["用户", "x", "abc"]).present("a 用户 x") == {"用户", "x"}
    assert Sought([]).present("anything") == frozenset()


def first_that_matches(report: Report) -> str:
    """What would be the verdict's rule if each were asked in its turn."""
    words = BOOK.words_of(report)
    return next((rule.id for rule in BOOK.rules if rule.match(report, words)), "")


def test_the_rule_is_the_one_that_is_found_by_asking_each_in_its_turn() -> None:
    assert len(REPORTS) > 400
    judged = {report: BOOK.judge(replace(report, action=ReportAction.FAILED)).rule for report in REPORTS}
    assert {report: rule for report, rule in judged.items() if rule != first_that_matches(report)} == {}


@given(codes | st.just(""), mixed_samples | st.text(max_size=60))
def test_so_it_is_whatever_is_said(status: str, diagnostic: str) -> None:
    report = sample_report(f"{status} | {diagnostic}")
    if not report.status.startswith("2"):
        assert BOOK.judge(report).rule == first_that_matches(report)

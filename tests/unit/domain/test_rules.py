"""The shipped table: each rule is reached by what a server really said."""

import re
import time

import pytest

from sidecar.domain.classify import Category, Rule
from sidecar.domain.report import Report, ReportAction
from sidecar.domain.rule import sample_report

from .rulebook import RULES, shipped

BOOK = shipped()
SAMPLES = [(rule, sample) for rule in BOOK.rules for sample in rule.samples]

# Addresses that belong to nobody: RFC 2606, RFC 6761, RFC 5737.
RESERVED = re.compile(r"(?:^|[.@])(?:example\.(?:org|net|com)|example|test)$")


def test_there_are_rules_in_files_that_sort() -> None:
    assert len(RULES) >= 5
    assert all(re.fullmatch(r"\d\d-[a-z]+\.toml", path.name) for path in RULES)


@pytest.mark.parametrize(("rule", "sample"), SAMPLES, ids=[f"{rule.id}: {text}" for rule, text in SAMPLES])
def test_every_sample_reaches_its_own_rule(rule: Rule, sample: str) -> None:
    verdict = BOOK.judge(sample_report(sample))
    assert (verdict.rule, verdict.category) == (rule.id, rule.category)


@pytest.mark.parametrize(("rule", "sample"), SAMPLES, ids=[f"{rule.id}: {text}" for rule, text in SAMPLES])
def test_a_sample_is_hard_exactly_if_its_category_is_permanent(rule: Rule, sample: str) -> None:
    permanent = rule.category in (Category.USER_UNKNOWN, Category.HOST_UNKNOWN)
    assert BOOK.judge(sample_report(sample)).hard == permanent


def test_every_category_has_a_rule() -> None:
    # UNDEFINED has rules too: a message that is too big is understood, and is none of the six causes.
    # FORWARDED has none: that another address failed shows in the return path's tag.
    assert {rule.category for rule in BOOK.rules} == set(Category) - {Category.FORWARDED}


def test_samples_name_nobody() -> None:
    for rule, sample in SAMPLES:
        for domain in re.findall(r"@([a-z0-9.-]*[a-z0-9])", sample):
            assert RESERVED.search(domain), (rule.id, sample)


@pytest.mark.parametrize("filler", ["a", " ", "a ", "user ", "550-5.1.1 ", "domain a.a", "<a@a>", "\\", "(["])
def test_no_rule_takes_long_over_a_long_diagnostic(filler: str) -> None:
    words = (filler * 4096)[:4096]
    started = time.perf_counter()
    BOOK.judge(Report(address="a@example.org", action=ReportAction.FAILED, diagnostic=words))
    assert time.perf_counter() - started < 2.0  # seconds; some 20 ms are usual, exponential would be hours

"""The shipped table: each rule is reached by what a server really said, and by nothing in a name."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sidecar.domain.classify import HARD_CAPABLE, Category, Rule, RuleBook, Verdict
from sidecar.domain.notice import read
from sidecar.domain.report import Report
from sidecar.domain.rule import sample_report

from .rulebook import FILES, ROOT, RULES, shipped

BOOK = shipped()
SAMPLES = [(rule, sample) for rule in BOOK.rules for sample in rule.samples]
FIXTURES = [
    report
    for path in sorted((ROOT / "fixtures/bounces").glob("*/*.eml"))
    for report in read(path.read_bytes()).reports
]

# Addresses that belong to nobody: RFC 2606, RFC 6761.
RESERVED = re.compile(r"(?:^|[.@])(?:(?:yahoo\.)?example\.?(?:org|net|com)?|test)$")
ADDRESS = re.compile(r"[\w.+-]+@[\w.-]*\w")
URL = re.compile(r"https?://\S+")
HOST = re.compile(r"(?<![\w@.-])(?:[\w-]+\.)+(?:example|org|net|com)\b(?=[\s\[;,:]|$)")

NAMING_HOSTS = {rule.id for rule in BOOK.rules if any(phrase.names_host for phrase in rule.text)}
TREACHEROUS = "mailbox-full.user-unknown_spam.policy_blocked.quota.does-not-exist"


def test_there_are_rules_in_files_that_sort() -> None:
    assert len(RULES) >= 10
    assert all(re.fullmatch(r"\d\d-[a-z]+\.toml", path.name) for path in RULES)


def test_nothing_is_wrong_with_those_that_the_daemon_takes_unchecked() -> None:
    assert RuleBook.parse(*FILES) == BOOK


def judged() -> Iterator[tuple[Rule, str, Verdict]]:
    for rule, sample in SAMPLES:
        yield rule, sample, BOOK.judge(sample_report(sample))


def test_every_sample_reaches_its_own_rule() -> None:
    astray = [
        (rule.id, sample, verdict)
        for rule, sample, verdict in judged()
        if (verdict.rule, verdict.category) != (rule.id, rule.category)
    ]
    assert astray == []


def test_a_sample_is_hard_only_if_its_category_may_count() -> None:
    wrong = [
        (rule.id, sample, verdict)
        for rule, sample, verdict in judged()
        if verdict.hard != (rule.category in HARD_CAPABLE and not verdict.veto)
    ]
    assert wrong == []


def test_every_hard_category_has_a_sample_that_is_hard() -> None:
    hard = {rule.category for rule, sample in SAMPLES if BOOK.judge(sample_report(sample)).hard}
    assert hard == HARD_CAPABLE


def test_every_category_has_a_rule() -> None:
    # FORWARDED has none: that another address failed shows in the return path's tag.
    # UNDEFINED has none: it is what no rule knows.
    silent = {Category.FORWARDED, Category.UNDEFINED}
    assert {rule.category for rule in BOOK.rules} == set(Category) - silent


def test_samples_name_nobody() -> None:
    for rule, sample in SAMPLES:
        for domain in re.findall(r"@([a-z0-9.-]*[a-z0-9])", sample):
            assert RESERVED.search(domain), (rule.id, sample)


def test_the_words_of_a_verdict_hold_no_address() -> None:
    for report in [sample_report(sample) for _, sample in SAMPLES] + FIXTURES:
        assert "@" not in BOOK.judge(report).words


def with_names(report: Report, address: str, url: str, host: str) -> Report:
    """*report* with other names in its diagnostic; hosts stay where a rule wants to know which is meant.

    Whoever the diagnostic names is still the recipient.
    """
    words = ADDRESS.sub(address, named := URL.sub(url, report.diagnostic))
    if BOOK.judge(report).rule in NAMING_HOSTS:
        return replace(report, diagnostic=words)
    recipient = address if words != named else report.address
    return replace(report, address=recipient, diagnostic=HOST.sub(host, words))


def essence(verdict: Verdict) -> tuple[Category, bool, str, str]:
    return verdict.category, verdict.hard, verdict.rule, verdict.veto


@pytest.mark.parametrize(
    ("address", "url", "host"),
    [
        ("x@x.example", "https://x.example/", "x.example"),
        (
            f"{TREACHEROUS}@{TREACHEROUS.replace('_', '-')}.example",
            f"https://{TREACHEROUS}.example/spam/quota?user=unknown&mailbox=full#policy",
            f"{TREACHEROUS.replace('_', '-')}.example",
        ),
    ],
    ids=["neutral", "treacherous"],
)
def test_no_decision_depends_on_the_words_in_a_name(address: str, url: str, host: str) -> None:
    for report in [sample_report(sample) for _, sample in SAMPLES] + FIXTURES:
        changed = with_names(report, address, url, host)
        assert essence(BOOK.judge(changed)) == essence(BOOK.judge(report)), changed.diagnostic


def test_the_cheap_test_never_hides_a_match() -> None:
    """A phrase is tried only where its words stand; what it matches must hold one of them."""
    for rule, sample in SAMPLES:
        diagnostic = sample_report(sample).diagnostic
        for phrase in rule.text:
            found = phrase.expression.search(diagnostic)
            if found and phrase.needed:
                assert any(word in found.group().lower() for word in phrase.needed), (rule.id, sample)


@pytest.mark.parametrize(
    "words", ["user unknown", "no such user", "mailbox disabled", "domain does not exist"]
)
def test_a_reason_that_never_counts_stands_against_whatever_else_is_said(words: str) -> None:
    for rule, sample in SAMPLES:
        # "Access denied" alone says nothing, so it stands behind the recipient's rules.
        if rule.category not in HARD_CAPABLE and rule.text and rule.id != "denied":
            report = sample_report(sample)
            more = replace(report, diagnostic=f"{report.diagnostic} -- {words}")
            assert not BOOK.judge(more).hard, more.diagnostic

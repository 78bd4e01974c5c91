"""The judgement: which rule speaks, and what may never count."""

import pytest

from sidecar.domain.classify import Category, RuleBook, RuleError, Verdict
from sidecar.domain.report import Report, ReportAction

from .rulebook import shipped

BOOK = shipped()

USER = '[[rule]]\nid = "u"\ncategory = "user-unknown"\ntext = "user unknown"\nsamples = [" | User unknown"]\n'
CODE = '[[rule]]\nid = "c"\ncategory = "mailbox-full"\nstatus = "x.2.2"\nsamples = ["5.2.2 | "]\n'


def failed(diagnostic: str = "", **more: str) -> Report:
    return Report(
        address=more.get("address", "a@example.org"),
        action=ReportAction(more.get("action", "failed")),
        status=more.get("status", ""),
        reply=more.get("reply", ""),
        diagnostic=diagnostic,
    )


def test_the_verdict_names_its_rule() -> None:
    assert RuleBook.parse(USER, CODE).judge(failed("550 User Unknown", status="5.2.2")) == Verdict(
        Category.USER_UNKNOWN, True, "u"
    )


def test_the_earlier_text_wins() -> None:
    assert RuleBook.parse(CODE, USER).judge(failed("User unknown", status="5.2.2")).rule == "c"


@pytest.mark.parametrize("status", ["", "5.0.0", "5.9.9"])
def test_nothing_matched_is_soft(status: str) -> None:
    report = failed("550 Ni!", status=status, reply="550")
    assert BOOK.judge(report) == Verdict(Category.UNDEFINED, False, "")


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_success_is_no_failure_whatever_its_words(action: str) -> None:
    report = failed("550 5.1.1 User unknown", status="5.1.1", action=action)
    assert BOOK.judge(report) == Verdict(Category.UNDEFINED, False, "")


def test_a_status_of_success_is_no_failure() -> None:
    assert not BOOK.judge(failed("User unknown", status="2.1.5")).hard


HARD = [
    failed("550 5.1.1 User unknown", status="5.1.1", reply="550"),
    failed("550 No such user here", status="5.0.0", reply="550"),
    failed("", status="5.1.1"),
    failed("550 5.1.1 User unknown", status="5.1.1", reply="550", action="unstated"),
    failed("responded with code NXDOMAIN Domain name not found: example.org", status="4.0.0"),
    failed("Name service error for name=example.org type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=mx.example.org type=A: Host not found", status="5.4.4"),
    failed("550 5.1.1 <full.spam-policy@example.org>: User unknown", status="5.1.1", reply="550"),
    failed(
        "550 5.1.1 User unknown, see https://example.org/policy/quota/blocked", status="5.1.1", reply="550"
    ),
]
SOFT = [
    failed("550 5.1.1 User unknown", status="5.1.1", reply="550", action="delayed"),
    failed("450 4.1.1 User unknown", status="4.1.1", reply="450"),
    failed("450 User unknown", status="5.0.0", reply="450"),
    failed("User unknown", status="4.1.1"),
    failed("550 5.1.1 User unknown or mailbox over quota", status="5.1.1", reply="550"),
    failed("550 5.1.1 User unknown, rejected by local policy", status="5.1.1", reply="550"),
    failed("550 5.1.1 Sender address rejected: User unknown", status="5.1.1", reply="550"),
    failed("550 5.1.1 Mailbox full", status="5.1.1", reply="550"),
    failed("Name service error for name=example.org type=MX: Host not found, try again", status="4.4.3"),
    failed("Name service error for name=example.org type=MX: Host not found, try again", status="5.4.4"),
    # The host that is not found is our own relay.
    failed("Name service error for name=relay.example.net type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=org type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=notexample.org type=A: Host not found", status="5.4.4"),
    failed("Name service error for name=example.org type=A: Host not found", status="5.4.4", address=""),
    failed("", status="5.7.1"),
    failed("", status="5.4.4"),
    failed("", status="5.2.2"),
]  # fmt: skip


@pytest.mark.parametrize("report", HARD, ids=lambda report: report.diagnostic or report.status)
def test_hard_is_what_is_permanent_and_the_recipients_own(report: Report) -> None:
    assert BOOK.judge(report).hard


@pytest.mark.parametrize("report", SOFT, ids=lambda report: report.diagnostic or report.status)
def test_in_doubt_it_is_soft(report: Report) -> None:
    assert not BOOK.judge(report).hard


def test_no_rule_of_an_operator_makes_another_category_hard() -> None:
    rule = '[[rule]]\nid = "mine"\ncategory = "{}"\nreply = "5xx"\nsamples = ["5.0.0 | 550 no"]\n'
    for category in set(Category) - {Category.FORWARDED}:
        verdict = RuleBook.parse(rule.format(category.value)).judge(failed("550 no", reply="550"))
        assert verdict.hard == (category in (Category.USER_UNKNOWN, Category.HOST_UNKNOWN))


def test_a_phrase_goes_on_across_the_lines_of_a_reply() -> None:
    words = "550-5.1.1 The email account that you tried to reach does 550-5.1.1 not exist. 550 5.1.1 Bye"
    assert BOOK.judge(failed(words, status="5.0.0", reply="550")).rule == "user-does-not-exist"


RULE = 'id = "a"\ncategory = "blocked"\n'
BAD = [
    ("[[rule]", "file 1 is not TOML"),
    ("[rule]\n", "rules are written [[rule]]"),
    ("rule = 1\n", "rules are written [[rule]]"),
    ("[[rules]]\n", "unknown table or key 'rules'"),
    ("[[rule]]\n", "rule 1 of file 1: id must be"),
    ('[[rule]]\nid = "A b"\n', "rule 1 of file 1: id must be"),
    ('[[rule]]\nid = "a"\ncategory = "bad"\ntext = "b"\nsamples = [" | b"]', "rule a: 'bad' is not a valid"),
    (f"[[rule]]\n{RULE}", "rule a: needs samples"),
    (
        '[[rule]]\nid = "a"\ncategory = "forwarded"\ntext = "b"\nsamples = [" | b"]',
        "rule a: category 'forwarded'",
    ),
    (f"[[rule]]\n{RULE}samples = []", "rule a: needs samples"),
    (f'[[rule]]\n{RULE}samples = ["b"]', "rule a: sample 'b' has no '|'"),
    (f'[[rule]]\n{RULE}samples = [" | b"]', "rule a: needs text, status or reply"),
    (f'[[rule]]\n{RULE}text = 5\nsamples = [" | b"]', "rule a: text must be a string"),
    (f'[[rule]]\n{RULE}text = "("\nsamples = [" | b"]', "rule a: text is no regular expression"),
    (f'[[rule]]\n{RULE}text = "(b+)+"\nsamples = [" | b"]', "rule a: text repeats a group"),
    (f'[[rule]]\n{RULE}text = "(b+){{2,}}"\nsamples = [" | b"]', "rule a: text repeats a group"),
    (f'[[rule]]\n{RULE}text = "{"b" * 3000}"\nsamples = [" | b"]', "rule a: text is longer"),
    (f'[[rule]]\n{RULE}status = "511"\nsamples = [" | b"]', "rule a: status '511' is not of the form"),
    (f'[[rule]]\n{RULE}reply = "5.1"\nsamples = [" | b"]', "rule a: reply '5.1' is not of the form"),
    (f'[[rule]]\n{RULE}text = "c"\nsamples = [" | b"]', "rule a: does not match its own sample ' | b'"),
    (f'[[rule]]\n{RULE}text = "b"\nhard = true\nsamples = [" | b"]', "rule a: unknown key 'hard'"),
    (USER + USER, "rule u: defined twice"),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=[words for _, words in BAD])
def test_a_bad_rule_file_says_which_rule_and_why(text: str, words: str) -> None:
    with pytest.raises(RuleError) as refused:
        RuleBook.parse(text)
    assert words in str(refused.value)


def test_files_are_numbered_as_they_were_given() -> None:
    with pytest.raises(RuleError, match="rule 2 of file 2: id must be"):
        RuleBook.parse("", USER + "[[rule]]\n")

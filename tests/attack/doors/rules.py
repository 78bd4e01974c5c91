"""Rule files that nobody means, regular expressions that never end among them.

What must be: rules, or problems in an operator's words; and whatever is accepted, judges the worst texts that
we know within ENDLESS.
"""

from importlib import resources

from sidecar.domain.classify import RuleBook, problems
from sidecar.domain.dsn import MAX_DIAGNOSTIC
from sidecar.domain.report import Report, ReportAction
from sidecar.domain.table import read_tables
from tests.attack.doors.configuration import check_words
from tests.attack.doors.fuzz import Target, fuzz
from tests.attack.doors.toml_words import TOML_WORDS
from tests.attack.tally import Tally

__all__ = ["BOMBS", "TARGET", "campaign", "rule_with"]

TEXT = MAX_DIAGNOSTIC  # characters: the longest that is judged

#: Expressions that backtrack for ever over a text of one letter, or cost as much to compile.
BOMBS = (
    *(r"(a+)+$", r"(a*)*b", r"(a|a)*b", r"(a|aa)+$", r"(?:a?){50}a{50}", r"(.*)(.*)(.*)(.*)(.*)x"),
    *(r"a{0,99999}b", r"(?:a{0,99}){0,99}b", r"(((((((a{1,9}){1,9}){1,9}){1,9}){1,9}){1,9}){1,9})"),
    *(r"(a{1,99}?b?)?" * 9, r"a?" * 60 + "a" * 60, r"[a]{0,100}[a]{0,100}[a]{0,100}[a]{0,100}x"),
    *(
        r"(?=a{0,90})" * 40 + "x",
        r"(?<=a)(?<!a)",
        r"(?P<host>a{0,100})(?P=host)",
        r"\1",
        "(" * 900 + ")" * 900,
    ),
    *("(?:" * 400 + "a" + ")?" * 400, "[" * 500 + "]" * 500, r"(?i)a", r"(?>a)", r"a++", r"a{4294967295}"),
    *(r"a{99999999999}", r"\N{DIGIT ONE}", r"(?#comment)", r"(?(1)a|b)", r"(a)|b" * 50, r"|||||", r"(|a|)"),
    *(r"\x00", "\\u0000", r"\bDATA\b", r".{0,200}\n.{0,200}", r"[^x]{0,220}[^y]{0,220}z"),
    *("|".join([r"a{0,200}a{0,200}y"] * 80), "(?:a|aa|aaa|aaaa)" * 100, r"a?" * 15 + "b"),
)


def rule_with(pattern: str) -> bytes:
    """A file with one rule that looks for *pattern*."""
    text = "'''" + pattern + "'''"
    samples = f'samples = ["5.0.0 | {"a" * 40}"]'
    return f'[[rule]]\nid = "own"\ncategory = "policy"\ntext = {text}\n{samples}\n'.encode()


def _check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    wrong = problems(("own.toml", text))
    if wrong:
        check_words(wrong)
        return
    book = RuleBook(tuple(read_tables((("own.toml", text),)).rules))
    for diagnostic in ("a" * TEXT, "ab" * (TEXT // 2), "5.1.1 user a@b.example unknown " * (TEXT // 31)):
        book.judge(Report("a@b.example", ReportAction.FAILED, "5.1.1", "550", diagnostic))


TARGET = Target(
    __name__,
    _check,
    seeds=[
        *(file.read_bytes()[:6000] for file in resources.files("sidecar.domain").joinpath("rules").iterdir()),
        *map(rule_with, BOMBS),
    ],
    words=[
        *TOML_WORDS,
        *(bomb.encode() for bomb in BOMBS),
        b"{0,40}",
        b"(?:",
        b")?",
        b"[^a]",
        b".{0,200}",
        b"|",
    ],
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)

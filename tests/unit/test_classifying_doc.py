"""docs/classifying.md names every kind, category, veto and key, and shows rules that work."""

import re
from pathlib import Path

from sidecar.domain.classify import HARD_CAPABLE, Category, RuleBook, problems
from sidecar.domain.meanings import MEANINGS
from sidecar.domain.notice import Kind
from sidecar.domain.rule import sample_report
from sidecar.edges.rule_files import built_in, check
from sidecar.services import reading

DOC = Path(__file__).parents[2] / "docs" / "classifying.md"


def chapter(heading: str) -> str:
    [text] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", DOC.read_text(), flags=re.MULTILINE | re.DOTALL)
    return str(text)


def first_cells(heading: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)`", chapter(heading), flags=re.MULTILINE)


def example() -> str:
    [text] = re.findall(r"^```toml\n(.*?)^```", chapter("A rule of your own"), flags=re.MULTILINE | re.DOTALL)
    return str(text)


def check_keys(line: str) -> list[str]:
    """What is said of a rule with another line in it."""
    return problems(("own.toml", example().replace('id = "ourpartner-left"', f'id = "x"\n{line}')))


def test_every_kind_is_there() -> None:
    assert first_cells("The kinds") == list(Kind)


def test_every_category_is_there_with_its_decision() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", chapter("The categories"), flags=re.MULTILINE)
    assert dict(rows) == {
        category.value: "may be hard" if category in HARD_CAPABLE else "soft" for category in Category
    }


def test_every_category_is_told_with_the_same_words_elsewhere() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|", chapter("The categories"), flags=re.MULTILINE)
    assert dict(rows) == {category.value: meaning for category, meaning in MEANINGS.items()}


def test_every_veto_is_there() -> None:
    assert first_cells("The vetoes") == [veto.id for veto in built_in().vetoes]


def test_the_example_is_a_good_rule_file(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(example())
    assert check([file]) == []
    book = RuleBook.parse((file.name, example()), then=built_in())
    verdict = book.judge(sample_report("5.0.0 | 550 <a@partner.example> has left the building"))
    assert (verdict.rule, verdict.hard) == ("ourpartner-left", True)


def test_every_key_of_a_rule_is_there() -> None:
    rows = re.findall(r"^\| (`[^|]+)\|", chapter("A rule of your own"), flags=re.MULTILINE)
    told = {key for row in rows for key in re.findall(r"`([^`]+)`", row)}
    [rule] = check_keys("no-such-key = 1")
    assert told == set(rule.rpartition("known are ")[2].split(", "))


def test_every_reason_to_set_aside_is_there() -> None:
    reasons = first_cells("What is set aside")
    assert {reading.NO_RULE, reading.NEITHER} < set(reasons)
    assert len(reasons) == 4

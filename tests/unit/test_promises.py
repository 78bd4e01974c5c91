"""docs/security.md and docs/promises.md: each promise names a test, and each test that is named is there."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import text_of

HOUSE = Path(__file__).parents[2]
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
README = (HOUSE / "README.md").read_text("utf-8")
PAGES = ("security.md", "promises.md")
UNIT = (HOUSE / "deploy" / "bounce-sidecar.service").read_text("utf-8")


def rows(page: str) -> list[tuple[str, str]]:
    """Promise and tests of each row of its tables that end with a column called test."""
    found, inside = [], False
    for line in text_of(page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if len(cells) == 2 and cells[1] == "test":
            inside = True
        elif not cells:
            inside = False
        elif inside and not set(line) <= set("|-"):
            found.append((cells[0], cells[-1] if len(cells) == 2 else ""))
    return found


ROWS = [(page, *row) for page in PAGES for row in rows(page)]


def test_there_are_promises() -> None:
    assert min(len(rows(page)) for page in PAGES) > 30


@pytest.mark.parametrize(("page", "promise", "tests"), ROWS, ids=[promise[:60] for _, promise, _ in ROWS])
def test_a_promise_names_tests_that_are_collected(page: str, promise: str, tests: str) -> None:
    named = TEST.findall(tests)
    assert named, f"{promise} has no test"
    assert TEST.sub("", tests).strip() == "", "nothing but tests"
    for file, name in named:
        assert Path(file).name.startswith("test_"), file
        place: object = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        *classes, function = name.split("::")
        for step in classes:
            assert step.startswith("Test")
            place = getattr(place, step)
        assert function.startswith("test_")
        assert callable(getattr(place, function, None)), f"{file} has no {name}"


def plain(text: str) -> str:
    return " ".join(text.replace("**", "").split())


@pytest.mark.parametrize("words", [promise for promise, _ in rows("promises.md")])
def test_the_readme_says_so(words: str) -> None:
    assert plain(words) in plain(README)


def test_everything_that_the_readme_begins_with_is_promised() -> None:
    steps = re.findall(r"^\d\. (.+?)(?=^\d\. |^$)", README.partition("## See it work")[0], re.M | re.S)
    assert len(steps) == 7
    promised = [plain(promise) for promise, _ in rows("promises.md")]
    assert [step for step in steps if not any(words in plain(step) for words in promised)] == []


@pytest.mark.parametrize(
    "line",
    ["LimitCORE=0", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict",
     "ProtectHome=yes", "PrivateDevices=yes", "ProtectProc=invisible", "MemoryDenyWriteExecute=yes",
     "SystemCallFilter=@system-service"],
)  # fmt: skip
def test_the_unit_takes_away_what_the_page_says(line: str) -> None:
    assert line in UNIT.splitlines()


def test_what_is_missing_is_skipped_loudly_and_fails_in_ci() -> None:
    program = "from tests.support.places import missing; missing('a part')"
    for ci, word in (("", "Skipped: not installed: a part"), ("1", "Failed: missing under CI: a part")):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=HOUSE,
            env={"CI": ci} if ci else {},
            capture_output=True,
            text=True,
            check=False,
        )
        assert word in done.stderr

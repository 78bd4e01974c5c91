"""docs/security.md and docs/promises.md: each promise names tests that are run; and what the README says is
promised, clause by clause."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import text_of
from tests.support.done_once import COLLECTED

HOUSE = Path(__file__).parents[2]
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
README = (HOUSE / "README.md").read_text("utf-8")
PAGES = ("security.md", "promises.md")
PYPROJECT = (HOUSE / "pyproject.toml").read_text("utf-8")
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


COLLECT = """
import json, sys, pytest

class Listen:
    def pytest_collection_finish(self, session):
        from tests.support.done_once import COLLECTED
        from tests.unit.test_promises import marks
        json.dump(marks(session.config.stash[COLLECTED]), open(sys.argv[1], "w"))

sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *sys.argv[2:]], plugins=[Listen()]))
"""
NEVER = {"skip", "xfail"}  # `skipif` is for machines that lack something, which CI may not


def marks(items: list[pytest.Item]) -> dict[str, list[list[str]]]:
    """Of each variant of a test, by the test's name."""
    found: dict[str, list[list[str]]] = {}
    for item in items:
        names = sorted({mark.name for mark in item.iter_markers()})
        found.setdefault(item.nodeid.partition("[")[0], []).append(names)
    return found


@pytest.fixture(scope="module")
def collected(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[list[str]]]:
    """What pytest would run of the files that are named; it knows if it was to run everything."""
    if request.config.args == request.config.getini("testpaths"):
        return marks(request.config.stash[COLLECTED])
    files = sorted({file for _, _, tests in ROWS for file, _ in TEST.findall(tests)})
    found = tmp_path_factory.mktemp("collected") / "tests.json"
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, str(found), *files],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    tests: dict[str, list[list[str]]] = json.loads(found.read_text())
    return tests


def test_make_test_deselects_nothing() -> None:
    makefile = (HOUSE / "Makefile").read_text("utf-8")
    recipe = re.search(r"^tests:\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    both = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    pytest_line = re.search(r"^PYTEST := (.*)$", makefile, re.MULTILINE)
    assert recipe
    assert both
    assert pytest_line
    assert both[1].strip() == "@$(MAKE) --no-print-directory --jobs 5 lint tests"
    assert recipe[1].strip() == "$(PYTEST)"
    called = pytest_line[1] + re.search(r'^addopts = "(.*)"$', PYPROJECT, re.MULTILINE)[1]  # type: ignore[index]
    options = set(called.split()[called.split().index("pytest") + 1 :])
    assert not {one for one in options if re.match(r"-[mk]|--(?:ignore|deselect)", one)}


@pytest.mark.parametrize(("page", "promise", "tests"), ROWS, ids=[promise[:60] for _, promise, _ in ROWS])
def test_a_promise_names_tests_that_are_run(
    page: str, promise: str, tests: str, collected: dict[str, list[list[str]]]
) -> None:
    named = TEST.findall(tests)
    assert named, f"{promise} has no test"
    assert TEST.sub("", tests).strip() == "", "nothing but tests"
    for file, name in named:
        variants = collected.get(f"{file}::{name}")
        assert variants, f"pytest does not collect {file}::{name}"
        assert any(NEVER.isdisjoint(marks) for marks in variants), f"{name} is never run"


def plain(text: str) -> str:
    return " ".join(text.replace("**", "").split())


@pytest.mark.parametrize("words", [promise for promise, _ in rows("promises.md")])
def test_the_readme_says_so(words: str) -> None:
    assert plain(words) in plain(README)


PROMISED = [plain(promise) for promise, _ in rows("promises.md")]


def unpromised(said: list[str]) -> list[str]:
    return [words for words in said if not any(promise in plain(words) for promise in PROMISED)]


def test_every_clause_that_the_readme_begins_with_is_promised() -> None:
    begin = README.partition("## See it work")[0]
    steps = re.findall(r"^\d\. (.+?)(?=^\d\. |^$)", begin, re.M | re.S)
    assert len(steps) == 7
    assert unpromised([clause for step in steps for clause in plain(step).strip(" .;").split("; ")]) == []
    last = begin.split("\n\n")[-2]
    assert "first promise" in last
    assert unpromised(re.split(r"(?<=[.*]) (?=[A-Z])", plain(last))) == []


def test_every_way_to_a_farm_is_promised() -> None:
    table = README.partition("## From one wiki to a farm")[2].partition("## Map")[0]
    ways = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(ways) == 7
    assert unpromised(ways) == []


def test_each_part_of_the_security_page_has_promises() -> None:
    """And a promise that the one page makes is not made by the other once more, with other tests."""
    parts = re.split(r"^### ", text_of("security.md").partition("## What is promised")[2], flags=re.M)[1:]
    assert [part.partition("\n")[0] for part in parts if "| promise | test |" not in part] == []
    assert {promise for promise, _ in rows("security.md")}.isdisjoint(PROMISED)
    everywhere = [promise for page in PAGES for promise, _ in rows(page)]
    assert len(everywhere) == len(set(everywhere))


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

"""scenario: what it prints, its exit codes, and the story that its documentation tells."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import main

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
[EXAMPLE] = re.findall(r"```toml\n(.*?)```", DOCS, flags=re.DOTALL)


def say(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["scenario", *map(str, words)])


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.toml"
    path.write_text(EXAMPLE)
    return path


def test_the_documented_story_ends_as_it_says(story: Path) -> None:
    result = say(story)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Mail fails twice, arrives, and fails again" in result.stdout


@pytest.mark.slow
def test_it_ends_as_it_says_in_json(story: Path) -> None:
    [told] = json.loads(say("--json", story).stdout)
    assert (told["file"], told["ok"], told["why"]) == (str(story), True, {})
    assert {"whom": "Ada", "what": "told", "expected": "unconfirm", "found": "unconfirm", "ok": True} in told[
        "checks"
    ]


@pytest.mark.slow
def test_a_story_that_ends_otherwise_is_exit_1_and_says_why(story: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(EXAMPLE.replace("confirmed = false", "confirmed = true"))
    result = say(story, wrong)
    assert (result.exit_code, result.stderr) == (1, f"not as expected: {wrong}\n")
    assert f"{wrong}: why Ada:\n  2026-03-01 10:00  mail was sent and came back" in result.stdout
    [good, bad] = json.loads(say(story, wrong, "--json").stdout)
    assert (good["ok"], bad["ok"], list(bad["why"])) == (True, False, ["Ada"])


def test_a_wrong_file_is_told_whole_and_nothing_is_played(story: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(EXAMPLE.replace("+2h", "2h").replace("6 days", "6 moons"))
    result = say(story, wrong)
    assert (result.exit_code, result.stdout) == (78, "")
    assert [line.split(" = ")[0] for line in result.stderr.splitlines()] == [f"{wrong}: step 4: late"]


def test_no_such_file_is_wrong_usage(story: Path, tmp_path: Path) -> None:
    result = say(story, tmp_path / "none.toml")
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path}/none.toml: No such file or directory\n")
    assert say().exit_code == 2


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "story.toml").write_bytes(b"title = '\xff'")
    result = say(tmp_path / "story.toml")
    assert (result.exit_code, result.stderr) == (78, f"{tmp_path}/story.toml: not UTF-8\n")


@pytest.mark.slow
def test_a_title_does_nothing_to_the_terminal(story: Path) -> None:
    story.write_text(EXAMPLE.replace("Mail fails twice", "[bold]x[/red]\\\\u001b[31m"))
    result = say(story)
    assert (result.exit_code, "\x1b" in result.stdout, "[bold]x[/red]" in result.stdout) == (0, False, True)


def test_help_teaches() -> None:
    assert "docs/scenarios.md" in say("--help").stdout

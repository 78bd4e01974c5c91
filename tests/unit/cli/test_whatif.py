"""replay --against: what it prints of two policies, and its exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.desk import say
from tests.support.practice import WIKI, bounce, configured, load

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    (tmp_path / "archive").mkdir()
    for user_id, days in ((7, (0, 4, 8)), (8, (0, 1, 2, 3, 4)), (9, (0,))):
        for day in days:
            sent = START + timedelta(days=day)
            raw = bounce(
                load(tmp_path), "postfix/01-no-such-user", user_id, sent, sent + timedelta(minutes=5)
            )
            (tmp_path / "archive" / f"{user_id}-{day}.eml").write_bytes(raw)
    return tmp_path


@pytest.mark.slow
def test_it_says_whom_each_policy_would_touch_and_the_difference(folder: Path) -> None:
    words = ("replay", "--against", "wikimedia", str(folder / "archive"))
    result = say(folder, *words)
    assert result.exit_code == 0
    assert "     9 taken" in result.stdout
    assert "configured: 0 warned, 1 un-confirmed\nwikimedia: 0 warned, 1 un-confirmed\n" in result.stdout
    assert result.stdout.endswith("they differ for 2 users\n")
    told = json.loads(say(folder, *words, "--json").stdout)
    assert [(user["wiki"], user["user_id"], user["difference"]) for user in told["users"]] == [
        (WIKI, 7, "not un-confirmed"),
        (WIKI, 8, "un-confirmed, too"),
    ]
    assert told["configured"] == {WIKI: "3 hard bounces, the oldest at least 7 days old"}
    assert told["against"] == "5 hard bounces, within 7 days"


@pytest.mark.slow
def test_the_same_archive_gives_the_same_bytes(folder: Path) -> None:
    said = [say(folder, "replay", "--against", "gentle", "--json", str(folder / "archive")) for _ in range(2)]
    assert said[0].stdout == said[1].stdout
    single = sorted((folder / "archive").iterdir(), reverse=True)
    other_order = say(folder, "replay", "--against", "gentle", "--json", *map(str, single))
    assert other_order.stdout == said[0].stdout


@pytest.mark.slow
def test_the_other_policy_may_be_a_file(folder: Path) -> None:
    (folder / "other.toml").write_text("[policy]\nhard_bounces = 1\nspan_days = 0.001\n")
    words = ("replay", "--against", str(folder / "other.toml"), "--json", str(folder / "archive"))
    told = json.loads(say(folder, *words).stdout)
    assert [user["user_id"] for user in told["users"]] == [7, 8, 9]


@pytest.mark.slow
def test_it_writes_nothing(folder: Path) -> None:
    say(folder, "replay", "--against", "gentle", str(folder / "archive"))
    assert not (folder / "history.db").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[policy]\npreset = 'none'\nwran = true\n",
            ["[policy] preset = 'none': not a preset", "[policy] wran is not a setting"],
        ),
        ("[policy]\nperiod_days = 3\n", ["[policy]: period_days means nothing to a streak"]),
        ("[brake]\nleast = 3\n", ["[policy] is missing"]),
        ("policy = ", ["this is no TOML: Invalid value (at end of document)"]),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_whole(folder: Path, text: str, words: list[str]) -> None:
    (folder / "other.toml").write_text(text)
    result = say(folder, "replay", "--against", str(folder / "other.toml"), str(folder / "archive"))
    lines = result.stderr.splitlines()
    assert (result.exit_code, len(lines)) == (78, len(words))
    for line, start in zip(lines, words, strict=True):
        assert line.startswith(f"{folder}/other.toml: {start}")


def test_what_is_neither_preset_nor_file_is_wrong_usage(folder: Path) -> None:
    result = say(folder, "replay", "--against", "gentel", str(folder / "archive"))
    assert result.exit_code == 2
    assert result.stderr.startswith("gentel: no preset (specification, gentle, bouncehandler, ")
    both = say(folder, "replay", "--against", "gentle", "--ingest", str(folder / "archive"))
    assert (both.exit_code, "it enters nothing" in both.stderr) == (2, True)
    assert say(folder, "replay", "--against", "gentle", str(folder / "nowhere")).exit_code == 2

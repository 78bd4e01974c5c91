"""aside: what waits for a person, shown without doing anything to the person's terminal, and judged again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.services.receipt import Receipt
from tests.support.desk import NEW_RULE, STRANGE, arrive, say
from tests.support.practice import WIKI, configured, start_once

DAY = timedelta(days=1)
START = datetime.now(UTC).replace(microsecond=0) - 20 * DAY
HOSTILE = (
    b"From: eve@evil.example\nSubject: \x1b]0;owned\x07\x1b[2J hello\n\n"
    b"\x9b31m red \x08\x08 back \r over \xc2\x9b c1 \xe2\x80\xae turned\n\ttab and caf\xc3\xa9\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    start_once(tmp_path)
    return tmp_path


def strangers(folder: Path) -> None:
    for days in (0, 4, 8):
        assert arrive(folder, STRANGE, START + days * DAY) is Receipt.SET_ASIDE


def waiting(folder: Path) -> list[int]:
    return [entry["id"] for entry in json.loads(say(folder, "aside", "list", "--json").stdout)]


def test_nothing_set_aside_says_so(folder: Path) -> None:
    assert say(folder, "aside", "list").stdout == "nothing is set aside\n"
    assert json.loads(say(folder, "aside", "reread", "--json").stdout) == {}


def test_the_list_names_reason_and_domain(folder: Path) -> None:
    strangers(folder)
    [first, *_] = json.loads(say(folder, "aside", "list", "--json").stdout)
    assert (first["id"], first["why"], first["kind"], first["domain"]) == (
        1, "no rule matched", "bounce", "remote.example"
    )  # fmt: skip
    assert first["received"] == START.isoformat()
    assert "no rule matched" in say(folder, "aside", "list").stdout


def test_show_prints_the_mail_and_spells_out_what_would_act_on_a_terminal(folder: Path) -> None:
    assert arrive(folder, HOSTILE, START) is Receipt.SET_ASIDE
    shown = say(folder, "aside", "show", "1").stdout
    assert "neither a bounce nor an automatic answer" in shown
    assert "Subject: \\x1b]0;owned\\x07\\x1b[2J hello\n" in shown
    assert "\\x9b31m red \\x08\\x08 back \\x0d over \\x9b c1 \\u202e turned\n\ttab and café\n" in shown
    assert not {*shown} & {"\x1b", "\x07", "\x08", "\r", "\x9b", "\u202e"}


def test_show_raw_writes_every_byte(folder: Path) -> None:
    arrive(folder, HOSTILE, START)
    assert say(folder, "aside", "show", "--raw", "1").stdout_bytes == HOSTILE


def test_what_is_not_set_aside_is_exit_1(folder: Path) -> None:
    for words in (("show", "9"), ("drop", "9"), ("reread", "9")):
        result = say(folder, "aside", *words)
        assert (result.exit_code, "not set aside" in result.output) == (1, True)


def test_reread_after_a_new_rule_books_and_owes_the_wiki_what_follows(folder: Path) -> None:
    strangers(folder)
    assert "0 of 3 understood now" in say(folder, "aside", "reread").stdout
    (folder / "rules.d").mkdir()
    (folder / "rules.d" / "own.toml").write_text(NEW_RULE)
    told = say(folder, "aside", "reread").stdout.splitlines()
    assert told == [
        "1: user-unknown, hard, by rule frobnicated",
        "2: user-unknown, hard, by rule frobnicated",
        "3: user-unknown, hard, by rule frobnicated; action 1 is owed",
        "3 of 3 understood now",
    ]
    assert waiting(folder) == []
    [owed] = json.loads(say(folder, "outbox", "--json").stdout)
    assert (owed["user_id"], owed["wiki"]) == (7, WIKI)
    history = json.loads(say(folder, "history", "7", "--json").stdout)
    assert [bounce["received"] for bounce in history["bounces"]] == [
        (START + days * DAY).isoformat() for days in (0, 4, 8)
    ]


def test_reread_of_some_leaves_the_others(folder: Path) -> None:
    strangers(folder)
    (folder / "rules.d").mkdir()
    (folder / "rules.d" / "own.toml").write_text(NEW_RULE)
    result = json.loads(say(folder, "aside", "reread", "--json", "2").stdout)
    assert result["2"]["rule"] == "frobnicated"
    assert waiting(folder) == [1, 3]


def test_reread_with_rules_that_cannot_be_used_is_refused(folder: Path) -> None:
    strangers(folder)
    (folder / "rules.d").mkdir()
    (folder / "rules.d" / "own.toml").write_text(NEW_RULE.replace("user-unknown", "no-such-category"))
    result = say(folder, "aside", "reread")
    assert result.exit_code == 78
    assert f"{folder}/rules.d/own.toml: rule frobnicated: " in result.stderr
    assert waiting(folder) == [1, 2, 3]


def test_drop_lets_go_and_says_what_it_could_not(folder: Path) -> None:
    strangers(folder)
    result = say(folder, "aside", "drop", "1", "3", "99")
    assert (result.exit_code, result.stderr) == (1, "not set aside: 99\n")
    assert waiting(folder) == [2]

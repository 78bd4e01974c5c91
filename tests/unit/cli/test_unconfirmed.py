"""unconfirmed export and import: a list moves, and is known where it comes to."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sidecar.domain.unconfirmed import COLUMNS, Unconfirmed, as_csv, as_json
from sidecar.recorded import recorded
from tests.support.desk import arrive, say
from tests.support.practice import ADDRESS, WIKI, configured, start_once

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
DONE = Unconfirmed(
    WIKI, 7, NOW - 2 * DAY, NOW - 400 * DAY, "ab12", NOW - 2 * DAY, NOW - 10 * DAY, "streak", "3 hard bounces"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    start_once(tmp_path)
    return tmp_path


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    other = tmp_path_factory.mktemp("elsewhere")
    configured(other)
    start_once(other)
    return other


def enter(folder: Path, text: str, *words: str) -> Result:
    (folder / "list").write_text(text)
    return say(folder, "unconfirmed", "import", str(folder / "list"), *words)


def exported(folder: Path, *words: str) -> str:
    return say(folder, "unconfirmed", "export", *words).stdout


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "history.db")) as database:
        return database.execute(query).fetchall()


def hard() -> bytes:
    return recorded("postfix/01-no-such-user").addressed(ADDRESS, "x@bounces.example.org")


@pytest.mark.parametrize("json_", [[], ["--json"]])
def test_a_list_arrives_as_it_left(folder: Path, elsewhere: Path, json_: list[str]) -> None:
    other = Unconfirmed(**{**vars(DONE), "user_id": 8, "reason": 'a "second", one'})
    assert enter(folder, as_csv([DONE, other])).stdout == "2 entered\n"
    left = exported(folder, *json_)
    assert left == (as_json if json_ else as_csv)([DONE, other])
    assert enter(elsewhere, left).stdout == "2 entered\n"
    assert exported(elsewhere, *json_) == left
    assert "@" not in left


def test_it_is_entered_once(folder: Path) -> None:
    enter(folder, as_csv([DONE]))
    before = rows(folder, "SELECT * FROM action"), rows(folder, "SELECT * FROM event")
    assert enter(folder, as_csv([DONE, DONE])).stdout == "2 known already\n"
    assert (rows(folder, "SELECT * FROM action"), rows(folder, "SELECT * FROM event")) == before


def test_why_history_and_undo_know_it_there(folder: Path) -> None:
    enter(folder, as_csv([DONE]))
    assert "imported: un-confirmed by another installation on" in say(folder, "why", "7").stdout
    assert say(folder, "history", "7").exit_code == 0
    since = f"{NOW - 3 * DAY:%Y-%m-%d}"
    assert say(folder, "undo", "--since", since, "--yes").stdout.endswith(
        "1 will be confirmed again; `outbox --all` tells what the wikis answer\n"
    )
    [owed] = json.loads(say(folder, "outbox", "--json").stdout)
    assert (owed["kind"], owed["user_id"]) == ("restore", 7)
    assert exported(folder) == as_csv([]), "who is confirmed again is not on the list"


def test_what_was_settled_there_is_not_owed_again_here(folder: Path) -> None:
    enter(folder, as_csv([DONE]))
    for days in (20, 15, 10):
        arrive(folder, hard(), NOW - days * DAY)
    assert say(folder, "outbox").stdout == "nothing is owed\n"
    assert "sent before the last action" in say(folder, "why", "7").stdout


def test_without_the_list_it_would_have_been_owed(folder: Path) -> None:
    for days in (20, 15, 10):
        arrive(folder, hard(), NOW - days * DAY)
    assert "unconfirm" in say(folder, "outbox").stdout


BAD = as_csv([DONE]) + as_csv([DONE]).splitlines()[1].replace(WIKI, "frwiki") + "\nx\n"
TOLD = "line 3: wiki: not configured here", "line 4: 1 values, not 9"


def test_one_bad_line_and_nothing_is_entered(folder: Path) -> None:
    result = enter(folder, BAD)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [*(f"{folder}/list: {one}" for one in TOLD), "nothing was entered"]
    assert rows(folder, "SELECT * FROM action") == []


def test_unless_it_shall_go_on(folder: Path) -> None:
    result = enter(folder, BAD, "--keep-going")
    assert (result.exit_code, result.stdout) == (1, "1 entered\n")
    assert len(result.stderr.splitlines()) == 2
    assert exported(folder) == as_csv([DONE])


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    assert enter(folder, as_csv([DONE]), "--dry-run").stdout == "would be: 1 entered\n"
    assert rows(folder, "SELECT * FROM action") == []
    enter(folder, as_csv([DONE]))
    assert enter(folder, as_csv([DONE]), "--dry-run").stdout == "would be: 1 known already\n"


def test_what_would_be_dropped_at_once_is_left_out(folder: Path) -> None:
    old = Unconfirmed(**{**vars(DONE), "unconfirmed_at": NOW - 366 * DAY})
    assert enter(folder, as_csv([old])).stdout == "1 older than keep_audit_days and left out\n"


def test_an_empty_list_and_octets_are_told(folder: Path) -> None:
    assert exported(folder) == ",".join(COLUMNS) + "\n"
    assert enter(folder, exported(folder)).stdout == "the list is empty\n"
    (folder / "list").write_bytes(b"\xff")
    result = say(folder, "unconfirmed", "import", str(folder / "list"))
    assert (result.exit_code, result.stderr) == (2, f"{folder}/list: not UTF-8\n")


def test_a_user_who_moved_here_can_be_forgotten(folder: Path) -> None:
    enter(folder, as_csv([DONE]))
    assert say(folder, "forget", "7", "--yes").stdout.endswith("event 1, action 1\n")

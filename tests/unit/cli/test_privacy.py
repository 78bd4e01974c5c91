"""export and forget: a user's things, and whoever else's stay; the file itself forgets."""

import base64
import json
import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar import host
from sidecar.recorded import recorded
from sidecar.storage.claims import LEASE
from tests.support.desk import STRANGE, arrive, say
from tests.support.disk import on_disk
from tests.support.practice import ADDRESS, WIKI, configured, load, start_once

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MARK = "frobnicated-by-the-tests"  # stands in every mail of that user


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    start_once(tmp_path)
    return tmp_path


def hard() -> bytes:
    case = recorded("postfix/01-no-such-user")
    return case.addressed(ADDRESS, "x@bounces.example.org").replace(
        b"Subject: ", f"Subject: {MARK} ".encode()
    )


def fails(folder: Path, user_id: int = 7) -> None:
    for days in (0, 4, 8):
        arrive(folder, hard(), START + days * DAY, user_id=user_id)


def test_what_is_held_is_exported_without_the_mail_unless_it_is_asked_for(folder: Path) -> None:
    fails(folder)
    arrive(folder, STRANGE, START + 9 * DAY)
    told = json.loads(say(folder, "export", "7").stdout)
    assert {name: len(rows) for name, rows in told["held"].items()} == {
        "notice": 4, "bounce": 4, "action": 1, "event": 1, "send": 0, "identity": 0
    }  # fmt: skip
    assert told["held"]["action"][0]["bounces"] == [1, 2, 3]
    assert [row["mail_octets"] for row in told["held"]["notice"]] == [len(hard())] * 3 + [len(STRANGE)]
    assert ADDRESS not in say(folder, "export", "7").stdout
    whole = json.loads(say(folder, "export", "7", "--mail").stdout)
    assert base64.b64decode(whole["held"]["notice"][3]["mail_base64"]) == STRANGE


@pytest.mark.parametrize("command", [["export", "8"], ["forget", "8"], ["forget", "8", "--yes"]])
def test_of_whom_nothing_is_held_is_exit_1(folder: Path, command: list[str]) -> None:
    fails(folder)
    result = say(folder, *command)
    assert (result.exit_code, result.stderr) == (1, f"nothing is held of user 8 of {WIKI}\n")
    assert json.loads(say(folder, "export", "7").stdout)["user_id"] == 7


def test_without_yes_it_is_only_said_what_would_be_erased(folder: Path) -> None:
    fails(folder)
    said = say(folder, "forget", "7")
    words = f"held of user 7 of {WIKI}: event 1, action 1, bounce 3, notice 3; --yes erases it\n"
    assert (said.exit_code, said.stdout) == (0, words)
    assert say(folder, "history", "7").exit_code == 0


def test_one_user_is_erased_and_the_others_are_not(folder: Path) -> None:
    fails(folder)
    fails(folder, 8)
    arrive(folder, STRANGE, START + 9 * DAY)
    before = json.loads(say(folder, "export", "8").stdout)["held"]
    assert say(folder, "forget", "7", "--yes").exit_code == 0
    assert say(folder, "export", "7").exit_code == say(folder, "history", "7").exit_code == 1
    assert json.loads(say(folder, "export", "8").stdout)["held"] == before
    assert [owed["user_id"] for owed in json.loads(say(folder, "outbox", "--json").stdout)] == [8]
    assert say(folder, "aside", "list").stdout == "nothing is set aside\n"


def test_the_audit_keeps_that_somebody_was_forgotten_and_not_who(folder: Path) -> None:
    fails(folder)
    say(folder, "forget", "7", "--yes")
    with closing(sqlite3.connect(folder / "history.db")) as database:
        lines = database.execute("SELECT wiki, user_id, action_id, what, detail FROM event").fetchall()
    assert lines == [("", 0, None, "forgotten", "everything of one user, by an operator: 8 rows")]


def test_notices_that_do_not_name_their_user_are_found(folder: Path) -> None:
    """As before the third migration: through their bounces, or by their return paths."""
    fails(folder)
    arrive(folder, STRANGE, START + 9 * DAY)
    arrive(folder, STRANGE, START + 9 * DAY, user_id=71)
    with closing(sqlite3.connect(folder / "history.db")) as database:
        database.execute("UPDATE notice SET wiki = '', user_id = 0, return_path = upper(return_path)")
        database.execute("DELETE FROM bounce WHERE notice_id >= 4")
        database.commit()
    assert say(folder, "forget", "7", "--yes").stdout.endswith("bounce 3, notice 4\n")
    assert len(json.loads(say(folder, "export", "71").stdout)["held"]["notice"]) == 1


def test_users_of_a_wiki_that_is_configured_no_more_can_be_forgotten(folder: Path) -> None:
    fails(folder)
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace('id = "enwiki"', 'id = "dewiki"'))
    assert say(folder, "forget", "7").exit_code == 1
    assert say(folder, "forget", "7", "--wiki", WIKI, "--yes").exit_code == 0


def test_while_the_wiki_is_being_called_for_a_user_nothing_is_erased(folder: Path) -> None:
    fails(folder)
    with closing(sqlite3.connect(folder / "history.db")) as database:
        ends = host.now() + LEASE
        database.execute(f"UPDATE action SET leased_until = '{ends:%Y-%m-%d %H:%M:%S.%f}'")
        database.commit()
    result = say(folder, "forget", "7", "--yes")
    words = "a wiki is being called for this user right now; try again in a minute\n"
    assert (result.exit_code, result.stderr) == (75, words)
    assert len(json.loads(say(folder, "export", "7").stdout)["held"]["bounce"]) == 3


def test_the_file_has_forgotten(folder: Path) -> None:
    """Also what was deleted without being overwritten, and what the log of the database still has."""
    for day in range(3):
        arrive(folder, hard(), START + day * DAY, user_id=424242)
        fill(folder, 100 * day)
    with closing(sqlite3.connect(folder / "history.db")) as keeps_the_log:  # as the daemon does
        keeps_the_log.execute("PRAGMA secure_delete=OFF")
        keeps_the_log.execute("DELETE FROM bounce WHERE id = 1")
        keeps_the_log.execute("DELETE FROM notice WHERE id = 1")
        keeps_the_log.commit()
        [path, *_] = load(folder).verp.beginnings(WIKI, 424242)
        before = on_disk(folder)
        assert MARK.encode() in before
        assert path.encode() in before
        erased = say(folder, "forget", "424242", "--yes")
        words = f"erased of user 424242 of {WIKI}: bounce 2, notice 2\n"
        assert (erased.exit_code, erased.stdout) == (0, words)
        after = on_disk(folder)
    for trace in (MARK, path, "remote.example"):
        assert trace.encode() not in after.lower()


@pytest.mark.slow
def test_a_file_that_cannot_be_written_anew_is_told_and_tried_again(folder: Path) -> None:
    fails(folder)
    with closing(sqlite3.connect(folder / "history.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM notice").fetchall()
        result = say(folder, "forget", "7", "--yes")
        assert result.exit_code == 75
        assert "say the same again" in result.stderr
        reader.execute("COMMIT")
    again = say(folder, "forget", "7", "--yes")
    assert (again.exit_code, again.stderr) == (1, f"nothing is held of user 7 of {WIKI}\n")
    assert MARK.encode() not in on_disk(folder)


def fill(folder: Path, first: int) -> None:
    """Rows of others, of any size."""
    insert = (
        "INSERT INTO notice (fingerprint, received, return_path, kind, aside, raw, wiki, user_id) "
        "VALUES (?, '2026-03-01 00:00:00.000000', ?, 'bounce', '', ?, 'enwiki', ?)"
    )
    with closing(sqlite3.connect(folder / "history.db")) as database:
        for number in range(first, first + 100):
            mail = zlib.compress(bytes(number % 251 for _ in range(50)) + b"z" * (number % 7))
            database.execute(insert, (f"{number:064}", f"p{number}" * (1 + number % 9), mail, 1000 + number))
        database.commit()

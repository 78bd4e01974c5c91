"""The operator's words: what they print, and the exit codes that scripts go by."""

import json
import mailbox
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import main
from tests.support.practice import ADDRESS, KEY, PASSWORD, WIKI, bounce, configured, load, start_once

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Configured, and the daemon has been started once: there is a history."""
    configured(tmp_path)
    start_once(tmp_path)
    return tmp_path


def say(folder: Path, *words: str) -> Result:
    """One command, as an operator types it."""
    return CliRunner().invoke(main, ["--config", str(folder / "config.toml"), *words])


def archive(folder: Path, days: tuple[float, ...] = (0, 4, 8), name: str = "postfix/01-no-such-user") -> Path:
    mails = folder / "archive"
    mails.mkdir()
    for day in days:
        raw = bounce(load(folder), name, 7, START + day * DAY, START + day * DAY + timedelta(minutes=5))
        (mails / f"{day}.eml").write_bytes(raw)
    return mails


@pytest.mark.parametrize("words", ["history 7", "outbox", "db status", "aside reread"])
def test_what_is_wrong_with_the_database_is_said_once(folder: Path, words: str) -> None:
    (folder / "history.db").unlink()
    (folder / "history.db").mkdir()
    result = say(folder, *words.split())
    assert (result.exit_code, result.output.count("unable to open database file")) == (75, 1), result.output
    assert "in trouble" not in result.output


def test_a_good_configuration_is_called_good(folder: Path) -> None:
    result = say(folder, "check-config")
    assert (result.exit_code, result.stdout) == (
        0,
        f"{folder}/config.toml: good, 1 wiki: 1 in enforce mode\n",
    )


def test_a_bad_configuration_is_told_whole_and_without_its_secrets(folder: Path) -> None:
    (folder / "verp.keys").chmod(0o644)
    (folder / "bot.password").write_text("my main password")
    result = say(folder, "check-config")
    assert result.exit_code == 78
    assert "others may read or write this file" in result.stderr
    assert "not a bot password" in result.stderr
    assert "my main password" not in result.output
    assert json.loads(say(folder, "check-config", "--json").stdout) == [
        line.removeprefix(f"{folder}/config.toml: ") for line in result.stderr.splitlines()
    ]


@pytest.mark.parametrize("command", [("run",), ("verp", "check", "x"), ("history", "7"), ("outbox",)])
def test_without_a_configuration_every_command_says_so(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = say(tmp_path, *command)
    assert (result.exit_code, result.stderr) == (
        78,
        f"{tmp_path}/config.toml: cannot be read: No such file or directory\n",
    )


def test_what_verp_issues_verp_recognises(folder: Path) -> None:
    issued = say(folder, "verp", "issue", WIKI, "7", ADDRESS).stdout.strip()
    assert say(folder, "verp", "check", issued.upper()).stdout.startswith(f"wiki {WIKI}, user 7, sent ")
    assert json.loads(say(folder, "verp", "check", "--json", issued).stdout)["user_id"] == 7


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("bob@example.com", "NotOurs: "),
        ("wiki-enwiki-7-tosp40-aaaaaaaaaaaaaaaaaaaaaaaa@bounces.example.org", "Forged: "),
    ],
)
def test_what_is_no_return_path_of_ours_is_exit_1(folder: Path, address: str, words: str) -> None:
    result = say(folder, "verp", "check", address)
    assert (result.exit_code, result.stderr.startswith(words)) == (1, True)


def test_an_expired_return_path_is_named_so(folder: Path) -> None:
    old = load(folder).verp.issue(WIKI, 7, ADDRESS, datetime.now(UTC) - 11 * DAY)
    assert say(folder, "verp", "check", old).stderr.startswith("Expired: signed 11 days ago")


def test_an_unknown_wiki_is_named(folder: Path) -> None:
    assert say(folder, "verp", "issue", "nowiki", "7", ADDRESS).stderr == "unknown wiki nowiki\n"


@pytest.mark.slow
def test_replay_says_who_would_be_unconfirmed_and_writes_nothing(folder: Path) -> None:
    result = json.loads(say(folder, "replay", "--json", str(archive(folder))).stdout)
    [action] = result["actions"]
    assert (action["user_id"], action["state"]) == (7, "shadow")
    assert action["created"] == (START + 8 * DAY + timedelta(minutes=5)).isoformat()
    assert result["receipts"] == {"taken": 3}
    assert say(folder, "history", "7").exit_code == 1
    assert say(folder, "outbox", "--all").stdout == "nothing is owed\n"


@pytest.mark.slow
def test_replay_ingests_when_told_and_only_once(folder: Path) -> None:
    mails = archive(folder)
    assert "Owed now" in say(folder, "replay", "--ingest", str(mails)).stdout
    again = say(folder, "replay", "--ingest", str(mails)).stdout
    assert "3 duplicate" in again
    assert "nothing new is owed" in again
    [owed] = json.loads(say(folder, "outbox", "--json").stdout)
    assert (owed["user_id"], owed["state"]) == (7, "waiting")


@pytest.mark.slow
def test_replay_reads_maildirs_and_mboxes_alike(folder: Path) -> None:
    single = archive(folder)
    maildir, mbox = mailbox.Maildir(folder / "Maildir"), mailbox.mbox(folder / "old.mbox")
    for file in sorted(single.iterdir()):
        maildir.add(file.read_bytes())
        mbox.add(file.read_bytes())
    mbox.flush()
    results = [
        json.loads(say(folder, "replay", "--json", str(path)).stdout)
        for path in (single, folder / "Maildir", folder / "old.mbox")
    ]
    assert all(result["receipts"] == {"taken": 3} for result in results)
    assert all(len(result["actions"]) == 1 for result in results)


@pytest.mark.slow
def test_replay_tells_what_it_left_out(folder: Path) -> None:
    mails = archive(folder)
    undated = b"\n".join(
        line for line in (mails / "0.eml").read_bytes().splitlines() if not line.startswith(b"Date:")
    )
    (mails / "undated.eml").write_bytes(undated)
    (mails / "private.eml").write_bytes(
        b"From: bob@example.com\nTo: ann@example.com\nDate: Sun, 1 Mar 2026 12:00:00 +0000\n\nhello\n"
    )
    result = say(folder, "replay", str(mails))
    assert f"left out, it has no date: {mails}/undated.eml" in result.stdout
    assert "     1 not ours" in result.stdout


def test_replay_of_a_path_that_is_not_there_is_wrong_usage(folder: Path) -> None:
    result = say(folder, "replay", str(folder / "nowhere"))
    assert (result.exit_code, result.stderr) == (2, f"{folder}/nowhere: No such file or directory\n")


@pytest.mark.slow
def test_history_tells_bounces_actions_and_each_step(folder: Path) -> None:
    say(folder, "replay", "--ingest", str(archive(folder)))
    told = json.loads(say(folder, "history", "7", "--json").stdout)
    assert [(b["category"], b["hard"]) for b in told["bounces"]] == [("user-unknown", True)] * 3
    assert [event["what"] for event in told["events"]] == ["decided"]
    shown = say(folder, "history", "7")
    assert shown.exit_code == 0
    assert "user-unknown" in shown.stdout
    said = " ".join(shown.stdout.split())
    assert "decided: unconfirm, waiting: 3 hard bounces of mail sent 2026-03-01 to 2026-03-09" in said
    assert "in force: 3 hard bounces, the oldest at least 7 days old" in said


def test_history_of_somebody_unknown_is_exit_1(folder: Path) -> None:
    result = say(folder, "history", "8")
    assert (result.exit_code, result.stderr) == (1, f"nothing is known of user 8 of {WIKI}\n")
    assert say(folder, "history", "8", "--wiki", "nowiki").exit_code == 2


def test_an_empty_outbox_says_so(folder: Path) -> None:
    assert say(folder, "outbox").stdout == "nothing is owed\n"
    assert say(folder, "outbox", "retry", "5").exit_code == 1


def test_no_command_shows_a_secret(folder: Path) -> None:
    mails = archive(folder)
    for words in (
        ("check-config",),
        ("verp", "issue", WIKI, "7", ADDRESS),
        ("replay", str(mails)),
        ("--help",),
    ):
        output = say(folder, *words).output
        assert KEY not in output
        assert PASSWORD not in output


@pytest.mark.parametrize(
    "command",
    ["run", "check-config", "verp", "history", "outbox", "replay", "demo", "aside", "classify", "rules"],
)
def test_help_teaches(folder: Path, command: str) -> None:
    result = say(folder, command, "--help")
    assert result.exit_code == 0
    assert len(result.stdout) > 150


def test_the_database_in_trouble_is_one_line_and_exit_75(folder: Path) -> None:
    (folder / "history.db").write_text("this is no database" * 100)
    result = say(folder, "outbox")
    words = f"sqlite:///{folder}/history.db: file is not a database\n"
    assert (result.exit_code, result.stderr) == (75, words)


@pytest.mark.parametrize("command", [("history", "7"), ("outbox",), ("replay", "--ingest", ".")])
def test_no_command_makes_the_history_in_the_daemons_place(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Made by root, it would belong to root, and the daemon could book nothing."""
    configured(tmp_path)
    result = say(tmp_path, *command)
    assert (result.exit_code, result.stderr) == (1, f"there is no history yet: {tmp_path}/history.db\n")
    assert not (tmp_path / "history.db").exists()


def test_a_history_of_another_version_is_left_alone(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "history.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE requirement SET oldest = '9998'")
        database.commit()
    result = say(folder, "outbox")
    assert result.exit_code == 78
    assert "the database is at version 9999" in result.stderr


NASTY = "x[/bold][link=https://evil.example]y\x1b]0;pwned\x07\x1b[31m"


@pytest.mark.slow
def test_words_of_others_do_nothing_to_the_terminal(folder: Path) -> None:
    say(folder, "replay", "--ingest", str(archive(folder)))
    with closing(sqlite3.connect(folder / "history.db")) as database:
        database.execute("UPDATE bounce SET domain = ?, rule = ?", (NASTY, NASTY))
        database.execute("UPDATE action SET error = ?, attempts = 1", (f"[ab12cd34] {NASTY}",))
        database.execute("UPDATE event SET detail = ?", (NASTY,))
        database.commit()
    for words in (("history", "7"), ("outbox",)):
        result = say(folder, *words)
        assert result.exit_code == 0
        assert "\x1b" not in result.stdout
        assert "[/bold]" in "".join(result.stdout.split())
    assert "[ab12cd34]" in "".join(say(folder, "outbox").stdout.split())


@pytest.mark.slow
def test_tables_name_wiki_and_date_whole_on_a_narrow_terminal(folder: Path) -> None:
    say(folder, "replay", "--ingest", str(archive(folder)))
    shown = say(folder, "outbox").stdout
    assert WIKI in shown
    assert f"{datetime.now(UTC):%Y-%m-%d}" in shown
    told = say(folder, "history", "7").stdout
    assert all(f"{START + days * DAY:%Y-%m-%d %H:%M}" in told for days in (0, 4, 8))
    assert "user-unknown" in told
    assert max(map(len, [*shown.splitlines(), *told.split("Actions")[0].splitlines()])) <= 80


def test_numbers_beyond_a_database_are_wrong_usage(folder: Path) -> None:
    assert say(folder, "history", "9" * 20).exit_code == 2
    assert say(folder, "outbox", "retry", "9" * 20).exit_code == 2


def test_groups_that_are_not_there_are_told_before_the_start(folder: Path) -> None:
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace("[sockets]", '[sockets]\nmta_group = "nobodys-group"'))
    result = say(folder, "check-config")
    assert (result.exit_code, "there is no group nobodys-group" in result.stderr) == (78, True)


def test_the_demo_ends_well() -> None:
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 0, result.output
    assert "3 dead addresses un-confirmed, 9 living ones untouched." in result.output

"""why: fit for a ticket as it is printed; and undo, as an operator types it."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sidecar.domain.wiki import Effect, Outcome, Warn
from sidecar.recorded import recorded
from sidecar.storage import claims, outbox
from sidecar.storage.database import Database
from sidecar.storage.outbox import Because
from tests.support.desk import arrive, say
from tests.support.practice import ADDRESS, WIKI, configured, load, start_once

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - 20 * DAY
SINCE = ("--since", f"{START:%Y-%m-%d}")
NASTY = "x[/bold][link=https://evil.example]y\x1b]0;pwned\x07\x1b[31m\u202e\nline"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    start_once(tmp_path)
    return tmp_path


def fails(folder: Path, user_id: int = 7) -> None:
    case = recorded("postfix/01-no-such-user")
    for day in (0, 4, 8):
        raw = case.addressed(ADDRESS, "x@bounces.example.org")
        arrive(folder, raw, START + day * DAY, user_id=user_id)


def work(folder: Path, what: Callable[[sa.Connection], Any]) -> Any:
    async def run() -> Any:
        database = Database(load(folder).storage_url)
        await database.open()
        try:
            return await database.write(what)
        finally:
            await database.close()

    return asyncio.run(run())


DONE = Outcome(Effect.UNCONFIRMED, START - 99 * DAY, "f" * 32)


def paid(connection: sa.Connection, outcome: Outcome = DONE) -> None:
    """The wiki has done what is owed."""
    at = START + 9 * DAY
    while owed := claims.claim(connection, at, at + claims.LEASE, ()):
        outbox.settle(connection, owed, outcome, at, at)


def unconfirmed(folder: Path, *users: int) -> None:
    for user_id in users:
        fails(folder, user_id)
    work(folder, paid)


def sql(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "history.db")) as database:
        database.execute(statement, values)
        database.commit()


def test_the_story_is_plain_lines_in_the_order_of_time(folder: Path) -> None:
    unconfirmed(folder, 7)
    told = say(folder, "why", "7")
    assert (told.exit_code, told.stderr) == (0, "")
    head, *lines = told.stdout.splitlines()
    assert head.startswith(f"User 7 of {WIKI}, as of ")
    times = [line[:16] for line in lines[:-2]]
    assert times == sorted(times)
    assert [line.split("  ")[1].split(" ")[0] for line in lines[:-2]] == [
        "mail",
        "mail",
        "mail",
        "action",
        "action",
    ]
    assert lines[-2] == "Policy now: 3 hard bounces, the oldest at least 7 days old (enforce mode)"
    assert lines[-1] == "It stands so: nothing counts against this address"
    assert "@" not in told.stdout


def test_it_is_told_as_of_a_time(folder: Path) -> None:
    unconfirmed(folder, 7)
    then = say(folder, "why", "7", "--at", f"{START + 5 * DAY:%Y-%m-%dT%H:%M}")
    assert then.stdout.endswith("It stands so: not enough to act: 2 of 3 hard bounces\n")
    before = say(folder, "why", "7", "--at", f"{START - DAY:%Y-%m-%d}")
    assert (before.exit_code, before.stderr) == (1, f"nothing is known of user 7 of {WIKI}\n")
    assert say(folder, "why", "7", "--at", "yesterday").exit_code == 2


def test_as_json_it_is_the_same(folder: Path) -> None:
    unconfirmed(folder, 7)
    told = json.loads(say(folder, "why", "7", "--json").stdout)
    assert (told["user_id"], told["wiki"], told["mode"]) == (7, WIKI, "enforce")
    assert [bool(line["means"]) for line in told["lines"]] == [True, True, True, False, False]


def test_hostile_words_do_nothing_to_the_terminal(folder: Path) -> None:
    unconfirmed(folder, 7)
    sql(folder, "UPDATE bounce SET domain = ?, rule = ?, words = ?", NASTY, NASTY, NASTY)
    sql(folder, "UPDATE action SET reason = ?, policy = ?", NASTY, NASTY)
    sql(folder, "UPDATE event SET detail = ?", NASTY)
    before = len(say(folder, "why", "7").stdout.splitlines())
    told = say(folder, "why", "7").stdout
    assert not {*told} & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b]0;pwned\\x07" in told
    assert len(told.splitlines()) == before == 8


def test_without_yes_undo_only_says_whom(folder: Path) -> None:
    unconfirmed(folder, 7, 8)
    told = say(folder, "undo", *SINCE)
    assert told.exit_code == 0
    assert told.stdout.endswith("2 would be confirmed again; --yes does it\n")
    assert json.loads(say(folder, "outbox", "--json").stdout) == []


def test_with_yes_it_is_owed_once(folder: Path) -> None:
    unconfirmed(folder, 7, 8)
    assert "2 will be confirmed again" in say(folder, "undo", *SINCE, "--yes").stdout
    owed = json.loads(say(folder, "outbox", "--json").stdout)
    assert [(entry["kind"], entry["user_id"]) for entry in owed] == [("restore", 8), ("restore", 7)]
    assert "0 will be confirmed again" in say(folder, "undo", *SINCE, "--yes").stdout
    assert [one["undone"] for one in json.loads(say(folder, "undo", *SINCE, "--json").stdout)["found"]] == [
        True
    ] * 2


def test_it_is_chosen_by_time_provider_wiki_and_user(folder: Path) -> None:
    unconfirmed(folder, 7, 8)

    def found(*words: str) -> list[int]:
        told = json.loads(say(folder, "undo", "--json", *words).stdout)
        return [one["user_id"] for one in told["found"]]

    assert found(*SINCE) == [7, 8]
    assert found("--since", f"{NOW:%Y-%m-%d}") == []
    assert found(*SINCE, "--user", "8") == [8]
    assert found(*SINCE, "--provider", "remote.example", "--wiki", WIKI) == [7, 8]
    assert found(*SINCE, "--provider", "google") == []
    assert say(folder, "undo", "--since", f"{NOW:%Y-%m-%d}").stdout == "nothing to undo\n"


def test_who_has_another_action_waiting_is_said(folder: Path) -> None:
    unconfirmed(folder, 7, 8)
    warning = Warn(WIKI, 8, NOW, "3 hard bounces")
    work(folder, lambda connection: outbox.enqueue(connection, warning, Because(), NOW))
    told = say(folder, "undo", *SINCE, "--yes").stdout
    assert "1 will be confirmed again; 1 have another action waiting" in told


def test_what_went_through_bouncehandler_is_said_to_be_beyond_it(folder: Path) -> None:
    unconfirmed(folder, 7)
    fails(folder, 8)
    work(folder, lambda connection: paid(connection, Outcome(Effect.SUBMITTED)))
    told = say(folder, "undo", *SINCE).stdout.splitlines()[-2:]
    assert told[0] == "1 would be confirmed again; --yes does it"
    assert told[1].startswith("1 more went through BounceHandler and cannot be taken back")
    beyond = json.loads(say(folder, "undo", *SINCE, "--json").stdout)
    assert [one["user_id"] for one in beyond["found"]] == [7]
    assert len(beyond["submitted"]) == 1
    assert "submitted" in say(folder, "why", "8").stdout
    assert json.loads(say(folder, "undo", *SINCE, "--user", "7", "--json").stdout)["submitted"] == []


@pytest.mark.parametrize("words", [(), ("--since", "soon"), (*SINCE, "--wiki", "nowiki")])
def test_what_is_typed_wrong_is_exit_2(folder: Path, words: tuple[str, ...]) -> None:
    assert say(folder, "undo", *words).exit_code == 2

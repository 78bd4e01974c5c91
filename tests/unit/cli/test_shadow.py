"""shadow report: what would have been done, what speaks against enforcing, and who agrees."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sidecar.domain.send import Send
from sidecar.recorded import recorded
from sidecar.storage import sends
from sidecar.storage.database import Database
from tests.support.desk import STRANGE, arrive, say
from tests.support.practice import ADDRESS, WIKI, configured, load, start_once

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
START = (NOW - 40 * DAY).replace(microsecond=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path, mode="shadow")
    start_once(tmp_path)
    return tmp_path


def hard() -> bytes:
    case = recorded("postfix/01-no-such-user")
    return case.addressed(ADDRESS, "x@bounces.example.org")


def fails(folder: Path, user_id: int, days: tuple[float, ...] = (0, 4, 8)) -> None:
    for day in days:
        arrive(folder, hard(), START + day * DAY, user_id=user_id)


def report(folder: Path, *words: str) -> dict[str, Any]:
    result = say(folder, "shadow", "report", "--json", *words)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def agreement(folder: Path, text: str, *words: str) -> dict[str, Any]:
    (folder / "theirs").write_text(text)
    told: dict[str, Any] = report(folder, "--bouncehandler", str(folder / "theirs"), *words)["agreement"]
    return told


def good(folder: Path) -> list[bool]:
    return [check["good"] for check in report(folder)["report"]["checks"]]


def test_who_would_have_been_unconfirmed_when_and_why(folder: Path) -> None:
    fails(folder, 7)
    fails(folder, 8, (0, 1))
    told = report(folder)["report"]
    [would] = told["would"]
    assert (would["what"]["user_id"], would["what"]["kind"]) == (7, "unconfirm")
    assert would["what"]["created"] == (START + 8 * DAY).isoformat()
    assert told["modes"] == {WIKI: "shadow"}
    assert told["since"] == START.isoformat()
    assert told["categories"] == {"user-unknown": 1}
    assert told["providers"] == {"remote.example": 1}
    assert (told["came"]["hard"], told["came"]["users_hard"]) == (5, 2)


def test_only_what_was_decided_since(folder: Path) -> None:
    fails(folder, 7)
    late = f"{START + 9 * DAY:%Y-%m-%dT%H:%M:%S}"
    assert report(folder, "--since", late)["report"]["would"] == []
    assert say(folder, "shadow", "report", "--wiki", "nowiki").exit_code == 2


def test_it_reads_as_an_answer(folder: Path) -> None:
    fails(folder, 7)
    told = say(folder, "shadow", "report").stdout
    assert f"Wikis: {WIKI} (shadow)\n" in told
    assert "Would have been un-confirmed: 1 users\n  by category: user-unknown 1\n" in told
    assert "  [ok] bounces were watched for 40 days" in told
    assert f"  {START + 8 * DAY:%Y-%m-%d %H:%M}  user 7 of {WIKI}: unconfirm, 3 hard bounces" in told
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) < 180


def test_nothing_speaks_against_it_where_all_is_well(folder: Path) -> None:
    fails(folder, 7)
    assert good(folder) == [True] * 5


def test_a_short_time_and_mail_that_nobody_understood_speak_against_it(folder: Path) -> None:
    arrive(folder, STRANGE, NOW - DAY)
    assert good(folder) == [False, True, True, True, False]


def test_who_gets_mail_again_is_shown_first_of_all(folder: Path) -> None:
    """Would have been un-confirmed, and the address works: the one figure that matters."""
    fails(folder, 7)
    sign(folder, 7, START + 20 * DAY)
    assert good(folder) == [True, False, True, True, True]
    told = say(folder, "shadow", "report").stdout
    assert f"  [LOOK] mail has arrived since for 1 of them: 7 of {WIKI}\n" in told
    assert "MAIL HAS ARRIVED SINCE" in told


def sign(folder: Path, user_id: int, at: datetime) -> None:
    """A mail that was noted and did not come back."""
    config = load(folder)

    async def note() -> None:
        token = config.verp.recognise(config.verp.issue(WIKI, user_id, ADDRESS, at), at)
        database = Database(config.storage_url)
        await database.open()
        mail = Send(token.wiki, token.user_id, token.sent, token.tag, token.key_id)
        await database.write(lambda connection: sends.note(connection, [mail]))
        await database.close()

    asyncio.run(note())


def test_a_rush_and_a_brake_speak_against_it(folder: Path) -> None:
    text = (folder / "config.toml").read_text()
    limits = "[brake]\nactions_per_hour = 1\nusers_per_hour = 2\n"
    (folder / "config.toml").write_text(text.replace("[brake]\n", limits))
    for user_id in (7, 8, 9):
        fails(folder, user_id)
    say(folder, "brake", "pull")
    assert good(folder) == [True, True, False, False, True]


THEIRS = "br_user_email,br_timestamp,br_reason\n" + "".join(
    f"{address},{START + (10 + 0.6 * number) * DAY:%Y%m%d%H%M%S},x\n"
    for address in (ADDRESS.upper(), "bob@elsewhere.example")
    for number in range(10)
)


def test_who_agrees_with_its_records_is_found_by_address_and_none_is_told(folder: Path) -> None:
    fails(folder, 7)
    found = agreement(folder, THEIRS)
    assert (found["both"], found["only_we"], found["only_it"]) == ([[WIKI, 7]], [], [])
    assert found["unknown"] == 1
    told = say(folder, "shadow", "report", "--bouncehandler", str(folder / "theirs")).stdout
    assert "  both: 1   only we: 0   only BounceHandler: 1\n" in told
    assert "@" not in told
    assert b"elsewhere" not in (folder / "history.db").read_bytes()


def test_its_own_limit_and_period_may_be_others(folder: Path) -> None:
    fails(folder, 7)
    assert agreement(folder, THEIRS, "--limit", "11")["only_we"] == [[WIKI, 7]]
    assert agreement(folder, THEIRS, "--period-days", "5")["both"] == []
    assert agreement(folder, THEIRS, "--limit", "9", "--period-days", "5")["both"] == [[WIKI, 7]]


def test_whom_only_it_unconfirms_is_told_with_what_we_think(folder: Path) -> None:
    fails(folder, 7, (0, 1))
    [other] = agreement(folder, THEIRS)["only_it"]
    assert (other["user_id"], other["outlook"]) == (7, "not enough to act: 2 of 3 hard bounces")


def test_what_it_did_before_we_watched_is_no_disagreement(folder: Path) -> None:
    fails(folder, 7)
    old = THEIRS.replace(f"{START:%Y}", f"{START.year - 5}")
    found = agreement(folder, old)
    assert (found["only_we"], found["unknown"]) == ([[WIKI, 7]], 0)


def test_mail_that_was_signed_in_its_format_matches_no_address_and_that_is_said(folder: Path) -> None:
    fails(folder, 7)
    with closing(sqlite3.connect(folder / "history.db")) as database:
        database.execute("UPDATE bounce SET tag = '', key_id = 'bouncehandler'")
        database.commit()
    found = agreement(folder, THEIRS)
    assert (found["only_we"], found["untagged"]) == ([[WIKI, 7]], 1)


def test_a_list_of_its_users_is_compared_by_number(folder: Path) -> None:
    fails(folder, 7)
    fails(folder, 8, (0, 1))
    found = agreement(folder, f"7\n8,{WIKI}\n9\n{ADDRESS}\n")
    assert found["both"] == [[WIKI, 7]]
    assert [other["user_id"] for other in found["only_it"]] == [8]
    assert found["unknown"] == 1


def test_a_file_that_is_neither_is_refused_without_quoting_it(folder: Path) -> None:
    (folder / "theirs").write_text("7\nann of remote.example\n")
    result = say(folder, "shadow", "report", "--bouncehandler", str(folder / "theirs"))
    words = f"{folder}/theirs: line 2: neither a user's number nor a mail address\n"
    assert (result.exit_code, result.stderr) == (2, words)

"""import bouncehandler: whose records enter, that they enter once, and that nothing follows from it."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.recorded import recorded
from tests.support.bouncehandler_tables import Tables
from tests.support.desk import arrive, say
from tests.support.disk import on_disk
from tests.support.practice import ADDRESS, load
from tests.unit.cli.inheritance import DAY, GONE, LONG_AGO, NOW, enter, held, started, tables_of, url

VAGUE = "Undelivered Mail Returned to Sender"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return started(tmp_path)


@pytest.fixture
def wiki(folder: Path) -> Tables:
    return tables_of(folder)


def hard() -> bytes:
    return recorded("postfix/01-no-such-user").addressed(ADDRESS, "x@bounces.example.org")


def test_records_become_bounces_under_the_tag_of_their_address(folder: Path, wiki: Tables) -> None:
    wiki.add_record(ADDRESS, NOW - 5 * DAY, GONE)
    wiki.add_record(ADDRESS, NOW - 4 * DAY, VAGUE)
    assert enter(folder) == {"records": 2, "hard": 1, "users": 1, "fates": {"entered": 2}, "left_out": []}
    first, second = held(folder)["bounce"]
    assert (first["sent"], first["hard"], first["category"]) == (
        (NOW - 5 * DAY).isoformat(),
        True,
        "user-unknown",
    )
    assert (second["hard"], second["rule"]) == (False, "bouncehandler")
    assert {first["key_id"]: first["tag"]} == load(folder).verp.tags(ADDRESS)
    assert first["domain"] == "remote.example"


def test_it_is_seen_in_the_history_and_in_why_and_stands_in_the_audit(folder: Path, wiki: Tables) -> None:
    wiki.add_record(ADDRESS, NOW - 5 * DAY, GONE)
    enter(folder)
    assert "rule bouncehandler/" in say(folder, "why", "7").stdout
    assert "bouncehandler/" in say(folder, "history", "7", "--json").stdout
    with closing(sqlite3.connect(folder / "history.db")) as database:
        lines = database.execute("SELECT wiki, user_id, action_id, what, detail FROM event").fetchall()
    assert lines == [("", 0, None, "imported", "bounce_records: 1 failures, 1 of them hard")]


def test_a_second_import_enters_nothing_and_a_third_only_what_is_new(folder: Path, wiki: Tables) -> None:
    wiki.add_record(ADDRESS, NOW - 5 * DAY, GONE)
    enter(folder)
    before = on_disk_rows(folder)
    assert enter(folder)["fates"] == {"in the history already": 1}
    assert on_disk_rows(folder) == before
    wiki.add_record(ADDRESS, NOW - 3 * DAY, GONE)
    assert enter(folder)["fates"] == {"entered": 1, "in the history already": 1}
    assert len(held(folder)["bounce"]) == 2


def on_disk_rows(folder: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "history.db")) as database:
        return [
            database.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("notice", "bounce", "event", "action")
        ]  # type: ignore[return-value]


def test_a_mail_that_came_back_often_is_one_failure_and_the_hardest_is_believed(
    folder: Path, wiki: Tables
) -> None:
    for reason in (VAGUE, GONE, VAGUE):
        wiki.add_record(ADDRESS, NOW - 5 * DAY, reason)
    told = enter(folder)
    assert (told["fates"], told["hard"]) == ({"entered": 1, "in the history already": 2}, 1)


def test_a_dry_run_says_the_same_and_changes_nothing(folder: Path, wiki: Tables) -> None:
    wiki.add_record(ADDRESS, NOW - 5 * DAY, GONE)
    wiki.add_record("bob@remote.example", NOW - 5 * DAY, GONE)
    before = on_disk_rows(folder)
    dry = enter(folder, "--dry-run")
    assert on_disk_rows(folder) == before
    assert enter(folder) == dry
    assert enter(folder, "--dry-run")["fates"] == {
        "in the history already": 1,
        "nobody has that address now": 1,
    }


def test_what_is_left_out_is_counted_and_named_by_its_number(folder: Path, wiki: Tables) -> None:
    wiki.add_user(8, "twice@remote.example", LONG_AGO)
    wiki.add_user(9, "twice@remote.example", LONG_AGO)
    wiki.add_user(10, "new@remote.example", NOW - 3 * DAY)
    wiki.add_user(11, "off@remote.example", None)
    for address in (
        "gone@remote.example",
        "twice@remote.example",
        "new@remote.example",
        "off@remote.example",
    ):
        wiki.add_record(address, NOW - 5 * DAY, GONE)
    wiki.add_record(ADDRESS, NOW - 100 * DAY, GONE)
    wiki.add_record(ADDRESS.upper(), NOW - 5 * DAY, GONE)
    wiki.add_record(ADDRESS, "no time at all", GONE)
    told = enter(folder)
    assert {one["record"]: one["why"] for one in told["left_out"]} == {
        1: "nobody has that address now",
        2: "several users have that address",
        3: "sent before the address was confirmed",
        4: "the address is not confirmed now",
        5: "older than keep_bounces_days",
        6: "nobody has that address now",
        "br_id 7: br_timestamp is neither 14 digits nor ISO 8601": "no record",
    }
    table = say(folder, "import", "bouncehandler", url(folder)).stdout
    assert "@" not in table
    assert re.search(r"several users have that address +1 +2 ", table)
    assert table.endswith("nothing is decided before the next mail of a user comes back\n")


def test_nothing_is_decided_until_the_next_mail_comes_back(folder: Path, wiki: Tables) -> None:
    for days in (20, 15, 10, 5):
        wiki.add_record(ADDRESS, NOW - days * DAY, GONE)
    assert enter(folder)["hard"] == 4
    assert say(folder, "outbox", "--all").stdout == "nothing is owed\n"
    assert "enough to act at the next failure" in say(folder, "why", "7").stdout
    arrive(folder, hard(), NOW)
    [owed] = json.loads(say(folder, "outbox", "--json").stdout)
    assert (owed["user_id"], owed["kind"], owed["state"]) == (7, "unconfirm", "waiting")


def test_an_import_of_a_whole_provider_trips_no_brake(folder: Path, wiki: Tables) -> None:
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace("[brake]\n", "[brake]\nusers_per_hour = 2\n"))
    for user_id in range(20, 30):
        wiki.add_user(user_id, f"user{user_id}@remote.example", LONG_AGO)
        wiki.add_record(f"user{user_id}@remote.example", NOW - 5 * DAY, GONE)
    assert enter(folder)["users"] == 10
    arrive(folder, hard(), NOW)
    assert json.loads(say(folder, "outbox", "--json").stdout) == []
    assert "no brake holds anything" in say(folder, "brake", "list").stdout


def test_a_bounce_that_came_to_us_as_well_is_not_counted_twice(folder: Path, wiki: Tables) -> None:
    """Both watched for a while: whichever told first, the mail is one."""
    both, ours_later = NOW - 5 * DAY, NOW - 4 * DAY
    secret_shared(folder)
    arrive(folder, hard(), both)
    for sent in (both, ours_later):
        wiki.add_record(ADDRESS, sent, VAGUE)
    assert enter(folder)["fates"] == {"entered": 1, "in the history already": 1}
    arrive(folder, hard(), ours_later)
    assert [(row["hard"], row["sent"]) for row in held(folder)["bounce"]] == [
        (True, both.isoformat()),
        (True, ours_later.isoformat()),
    ]


def secret_shared(folder: Path) -> None:
    """Our daemon reads and issues BounceHandler's return paths."""
    (folder / "php.secret").touch(0o600)
    (folder / "php.secret").write_text("BounceHandler's secret in this test, 9876")
    text = (folder / "config.toml").read_text()
    section = 'format = "bouncehandler"\n[verp.bouncehandler]\nsecret_file = "php.secret"\n[sockets]\n'
    (folder / "config.toml").write_text(text.replace("[sockets]\n", section, 1))


def test_octets_of_any_kind_are_taken_as_they_are(folder: Path, wiki: Tables) -> None:
    strange = b"caf\xe9\xff@remote.example"
    wiki.add_user(12, strange, LONG_AGO)
    wiki.add_record(strange, NOW - 5 * DAY, b"Returned mail: User unknown \xff\xfe\x00")
    assert enter(folder)["hard"] == 1
    assert held(folder, 12)["bounce"][0]["domain"] == "remote.example"


def test_what_was_imported_is_handed_out_and_forgotten_as_all_else(folder: Path, wiki: Tables) -> None:
    wiki.add_user(8, "bob@remote.example", LONG_AGO)
    for address in (ADDRESS, "bob@remote.example"):
        wiki.add_record(address, NOW - 5 * DAY, GONE)
    enter(folder)
    assert [row["kind"] for row in held(folder)["notice"]] == ["imported"]
    assert say(folder, "forget", "7", "--yes").stdout.endswith("bounce 1, notice 1\n")
    assert say(folder, "export", "7").exit_code == 1
    assert len(held(folder, 8)["bounce"]) == 1


def test_no_address_reaches_the_history(folder: Path, wiki: Tables) -> None:
    wiki.add_record(ADDRESS, NOW - 5 * DAY, f"Returned mail: User unknown <{ADDRESS}>")
    enter(folder)
    assert ADDRESS.encode() not in on_disk(folder / "history.db")

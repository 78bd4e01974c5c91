"""brake: pulled, listed, released and discarded by an operator; nothing is restarted."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.recorded import recorded
from tests.support.desk import arrive, say
from tests.support.practice import ADDRESS, WIKI, configured, start_once


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    start_once(tmp_path)
    return tmp_path


def test_where_nothing_is_held_it_says_so(folder: Path) -> None:
    assert say(folder, "brake", "list").stdout == "no brake holds anything\n"
    assert json.loads(say(folder, "brake", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("options", "whose"),
    [
        ([], "everybody"),
        (["--provider", "google"], "google"),
        (["--wiki", WIKI], f"users of {WIKI}"),
        (["--wiki", WIKI, "--provider", "google"], f"users of {WIKI} at google"),
    ],
)
def test_it_is_pulled_for_some_or_all_and_let_go(folder: Path, options: list[str], whose: str) -> None:
    pulled = say(folder, "brake", "pull", *options, "--why", "the provider moves")
    assert pulled.stdout == f"brake 1 holds {whose}; `brake release 1` lets go\n"
    again = say(folder, "brake", "pull", *options)
    assert (again.exit_code, again.stderr) == (1, "that brake holds already; see `brake list`\n")
    [brake] = json.loads(say(folder, "brake", "list", "--json").stdout)
    assert (brake["id"], brake["why"], brake["state"]) == (1, "the provider moves", "tripped")
    assert say(folder, "brake", "release", "1").stdout == "0 actions will be carried out if still wanted\n"
    assert say(folder, "brake", "list").stdout == "no brake holds anything\n"
    assert "released" in say(folder, "brake", "list", "--all").stdout


@pytest.mark.parametrize("command", ["release", "discard"])
def test_what_does_not_hold_cannot_be_let_go(folder: Path, command: str) -> None:
    refused = say(folder, "brake", command, "7")
    assert (refused.exit_code, refused.stderr) == (1, "brake 7 does not hold\n")


def test_discarded_it_is_gone(folder: Path) -> None:
    say(folder, "brake", "pull")
    assert say(folder, "brake", "discard", "1").exit_code == 0
    assert say(folder, "brake", "release", "1").exit_code == 1


def test_an_unknown_wiki_is_refused(folder: Path) -> None:
    refused = say(folder, "brake", "pull", "--wiki", "nowiki")
    assert (refused.exit_code, refused.stderr) == (2, f"--wiki must be one of: {WIKI}\n")


def test_what_a_brake_holds_is_still_owed_and_shown(folder: Path) -> None:
    say(folder, "brake", "pull")
    case = recorded("postfix/01-no-such-user").addressed(ADDRESS, "x@bounces.example.org")
    now = datetime.now(UTC).replace(microsecond=0)
    for days in (8, 4, 0):
        arrive(folder, case, now - timedelta(days=days))
    [owed] = json.loads(say(folder, "outbox", "--json").stdout)
    assert (owed["state"], owed["user_id"]) == ("held", 7)
    assert "held" in say(folder, "outbox").stdout

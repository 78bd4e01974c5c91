"""wikis: the farm at the operator's desk. The farm is a practice farm over HTTP."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.recorded import recorded
from sidecar.services.receipt import Receipt
from sidecar.storage import circuits
from sidecar.storage.circuits import SHARED, Standing
from sidecar.storage.database import Database
from tests.support.desk import say, take_in
from tests.support.practice import ADDRESS, PASSWORD, configured, load, start_once
from wiki_adapter.practice_farm import PracticeFarm

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATELY = datetime.now(UTC)
NAMES = ["aawiki", "bbwiki", "oldwiki", "En-wiki"]

FARM = """
[farm]
sitematrix = "{url}"
account = "FarmBot@sidecar"
password_file = "farm.password"
cache = "{folder}/sitematrix.json"
policy = {{mode = "shadow"}}
"""


@pytest.fixture
def farm() -> Iterator[PracticeFarm]:
    with PracticeFarm(NAMES) as farm:
        farm.flags["oldwiki"] = {"closed"}
        yield farm


@pytest.fixture
def desk(farm: PracticeFarm, tmp_path: Path) -> Path:
    path = configured(tmp_path)
    (tmp_path / "farm.password").touch(0o600)
    (tmp_path / "farm.password").write_text(PASSWORD[::-1])
    path.write_text(path.read_text() + FARM.format(url=farm.matrix_url, folder=tmp_path))
    return tmp_path


def told(desk: Path, *words: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(say(desk, "wikis", "list", "--json", *words).output)
    return found


def note(desk: Path, *rows: Standing) -> None:
    async def write() -> None:
        database = Database(f"sqlite:///{desk}/history.db")
        await database.open()
        for row in rows:
            await database.write(lambda c, row=row: circuits.put(c, row))  # type: ignore[misc]
        await database.close()

    asyncio.run(write())


def test_a_refresh_says_who_is_known_now_and_who_is_left_out(desk: Path, farm: PracticeFarm) -> None:
    result = say(desk, "wikis", "refresh")
    assert (result.exit_code, result.output.splitlines()) == (
        0,
        ["4 wikis are listed; 4 are known", "+ En-wiki", "+ aawiki", "+ bbwiki"],
    )
    farm.names += ["no wiki", "ccwiki"]
    farm.names.remove("aawiki")
    result = say(desk, "wikis", "refresh")
    assert result.output.splitlines() == [
        "5 wikis are listed; 5 are known",
        "+ ccwiki",
        "left out: no wiki: id: no wiki id; siteinfo's general.wikiid shows it",
    ]
    assert "aawiki" in {line["id"] for line in told(desk)}, "gone, and known still"
    checked = say(desk, "check-config").output
    assert "5 wikis: 1 in enforce mode, 4 in shadow mode; 4 of the sitematrix" in checked


def test_a_refresh_that_is_not_had_or_not_believed_is_exit_code_75(desk: Path, farm: PracticeFarm) -> None:
    farm.names[:] = [f"w{number}wiki" for number in range(9)]
    assert say(desk, "wikis", "refresh").exit_code == 0
    del farm.names[2:]
    result = say(desk, "wikis", "refresh")
    assert (result.exit_code, "7 of 9 wikis are gone at once" in result.output) == (75, True)
    assert say(desk, "wikis", "refresh", "--believe").exit_code == 0
    farm.close()
    result = say(desk, "wikis", "refresh")
    assert (result.exit_code, result.output.startswith(farm.matrix_url)) == (75, True)


def test_without_a_farm_there_is_nothing_to_refresh(tmp_path: Path) -> None:
    configured(tmp_path)
    result = say(tmp_path, "wikis", "refresh")
    assert (result.exit_code, "there is no [farm]" in result.output) == (1, True)
    assert [line["source"] for line in told(tmp_path)] == ["configured"]


def test_the_list_says_where_each_is_from_and_what_is_wrong_with_it(desk: Path, farm: PracticeFarm) -> None:
    assert [line["id"] for line in told(desk)] == ["enwiki"]
    say(desk, "wikis", "refresh")
    until = NOW + timedelta(minutes=5)
    own = {wiki.id: wiki.login for wiki in load(desk).wikis}
    assert own["aawiki"] == own["bbwiki"] != own["enwiki"]
    note(
        desk,
        Standing("enwiki", 4, until, "HTTP 503", LATELY),
        Standing("bbwiki", 1, until, "login: wrongpassword", LATELY, "of another password"),
        Standing(SHARED + "of nobody", 3, until, "login: wrongpassword", LATELY),
    )
    lines = {line["id"]: line for line in told(desk)}
    assert lines["enwiki"] == {
        "id": "enwiki",
        "api": "http://127.0.0.1:9/w/api.php",
        "mode": "enforce",
        "source": "configured",
        "trouble": "HTTP 503",
        "until": until.isoformat(),
    }
    assert (lines["bbwiki"]["source"], lines["bbwiki"]["mode"], lines["bbwiki"]["trouble"]) == (
        "sitematrix",
        "shadow",
        "",
    )
    note(desk, Standing(SHARED + own["aawiki"], 3, until, "login: wrongpassword", LATELY))
    assert {line["id"] for line in told(desk, "--trouble")} == {"enwiki", "aawiki", "bbwiki", "En-wiki"}
    assert "HTTP 503" in say(desk, "wikis", "list", "--trouble").output


def test_a_bounce_of_a_wiki_that_is_not_known_yet_waits_and_is_booked_after_the_refresh_that_brings_it(
    desk: Path, farm: PracticeFarm
) -> None:
    say(desk, "wikis", "refresh")
    start_once(desk)
    cache = desk / "sitematrix.json"
    before = cache.read_text()
    farm.names.append("newwiki")
    say(desk, "wikis", "refresh")
    path = load(desk).verp.issue("newwiki", 7, ADDRESS, NOW)  # as another node does, which knows it
    cache.write_text(before)
    raw = recorded("postfix/01-no-such-user").addressed(ADDRESS, path)
    assert take_in(desk, raw, path, NOW) is Receipt.SET_ASIDE
    [aside] = json.loads(say(desk, "aside", "list", "--json").output)
    assert aside["why"] == "signed for the wiki newwiki, which is not configured"
    assert "0 of 1 understood now" in say(desk, "aside", "reread").output
    say(desk, "wikis", "refresh")
    assert "user-unknown, hard" in say(desk, "aside", "reread").output
    assert "user-unknown" in say(desk, "history", "7", "--wiki", "newwiki").output


def test_commands_that_need_a_wiki_say_that_none_is_known_yet(desk: Path) -> None:
    path = desk / "config.toml"
    text = path.read_text()
    path.write_text(text[: text.index("[[wikis]]")] + text[text.index("[farm]") :])
    assert "good, but no wiki is known yet" in say(desk, "check-config").output
    result = say(desk, "mta", "postfix", "--check")
    assert (result.exit_code, "wikis refresh" in result.output) == (1, True)


def test_a_list_without_a_line_says_why(desk: Path, farm: PracticeFarm) -> None:
    assert say(desk, "wikis", "list", "--trouble").stdout == "no wiki is in trouble\n"
    path = desk / "config.toml"
    path.write_text(path.read_text().split("[[wikis]]")[0] + FARM.format(url=farm.matrix_url, folder=desk))
    for words in ("wikis list", "check-config"):
        assert "no wiki is known yet: `bounce-sidecar wikis refresh`" in say(desk, *words.split()).stdout
    refused = say(desk, "history", "7")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "no wiki is known yet: `bounce-sidecar wikis refresh`\n",
    )


def test_three_hundred_wikis_are_not_named_to_whoever_has_mistyped_one(
    desk: Path, farm: PracticeFarm
) -> None:
    farm.names[:] = [f"w{number:03}wiki" for number in range(300)]
    assert say(desk, "wikis", "refresh").exit_code == 0
    all_of_them = "; `bounce-sidecar wikis list` names all\n"
    for named, said in (
        (["--wiki", "W007Wiki"], "W007Wiki is none of the 301 wikis (did you mean w007wiki or "),
        (["--wiki", "zzz\x1b"], "is none of the 301 wikis"),
        ([], "which wiki? say --wiki ID"),
    ):
        refused = say(desk, "history", "7", *named)
        assert (refused.exit_code, len(refused.stderr) < 200) == (2, True)
        assert said in refused.stderr
        assert refused.stderr.endswith(all_of_them)
        assert "\x1b" not in refused.stderr
    start_once(desk)
    assert "\n301 wikis: 1 in enforce mode, 300 in shadow mode\n" in say(desk, "shadow", "report").stdout

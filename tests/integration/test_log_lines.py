"""What a real daemon logs: lines of ECS, by whose numbers one bounce is followed to the un-confirmation."""

import json
import smtplib
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sidecar.recorded import recorded
from tests.support.desk import STRANGE, say
from tests.support.ecs import check_ecs
from tests.support.leaks import secret
from tests.support.practice import ADDRESS, WIKI, load
from tests.support.sidecar import DOMAIN, Sidecar
from tests.support.waiting import until
from wiki_adapter.practice_wiki import PracticeWiki, Trouble

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)


class Followed(Sidecar):
    """One whose log is read field by field."""

    def __init__(self, folder: Path, practice: PracticeWiki) -> None:
        self.user = practice.add_user("Ann", ADDRESS, confirmed_at=NOW - 300 * DAY)
        super().__init__(
            folder,
            wiki=WIKI,
            api=practice.api_url,
            account=practice.account,
            password=secret(practice.password),
            verp_socket=folder / "verp.sock",
            mode="enforce",
            log_format="auto",
        )

    def come_back(self, days_ago: float, raw: bytes = b"") -> tuple[str, bytes]:
        """A mail that was signed and came back then; what was handed in, so that it may be again."""
        self.set_clock(at := NOW - days_ago * DAY)
        path = load(self.folder).verp.issue(WIKI, self.user, ADDRESS, at)
        mail = raw or recorded("postfix/01-no-such-user").addressed(ADDRESS, path)
        self.hand_in(path, mail)
        return path, mail

    def hand_in(self, path: str, mail: bytes) -> None:
        with smtplib.LMTP(str(self.lmtp_socket), timeout=30) as mta:
            mta.sendmail("", [path], mail)

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """All, or those of these events."""
        lines = [check_ecs(line) for line in self.log().splitlines()]
        return [line for line in lines if not events or line["message"] in events]

    def told(self, *command: str) -> Any:
        result = say(self.folder, *command)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in command else result.stdout

    def paid(self, what: str, times: int = 1) -> None:
        until(lambda: [one["what"] for one in self.lines("action")].count(what) >= times, f"action {what}")


@pytest.fixture
def practice() -> Iterator[PracticeWiki]:
    with PracticeWiki() as wiki:
        yield wiki


@pytest.fixture
def sidecar(short_folder: Path, practice: PracticeWiki) -> Iterator[Followed]:
    sidecar = Followed(short_folder, practice)
    sidecar.set_clock(NOW - 10 * DAY)
    yield sidecar
    sidecar.stop()


def test_one_bounce_is_followed_from_the_notice_to_the_unconfirmation(
    sidecar: Followed, practice: PracticeWiki
) -> None:
    sidecar.start()
    first = sidecar.come_back(9)
    sidecar.hand_in(*first)
    sidecar.come_back(5, STRANGE)
    sidecar.come_back(4)
    with practice.suffering(Trouble.READ_ONLY):
        sidecar.come_back(1)
        sidecar.paid("postponed")
    sidecar.set_clock(NOW)
    sidecar.paid("done")
    notices = sidecar.lines("notice", "set aside")
    assert [(one["notice"], one.get("bounce"), one["receipt"]) for one in notices] == [
        (1, 1, "taken"),
        (1, None, "duplicate"),
        (2, 2, "set aside"),
        (3, 3, "taken"),
        (4, 4, "taken"),
    ]
    assert [one.get("action") for one in notices] == [None, None, None, None, 1]
    actions = sidecar.lines("action")
    assert [one["attempts"] for one in actions] == list(range(1, len(actions) + 1)), "a line for each call"
    whose = {(one["action"], tuple(one["bounces"]), one["kind"]) for one in actions}
    assert whose == {(1, (1, 3, 4), "unconfirm")}
    assert actions[-1]["effect"] == "unconfirmed"
    assert {(one["wiki"], one["user"]) for one in (*notices, *actions)} == {(WIKI, sidecar.user)}
    assert practice.mailbox(sidecar.user).confirmed_at is None
    the_same_numbers_are_told_by_the_commands(sidecar)
    what_the_documentation_says_finds_all_of_it(sidecar, len(notices) + len(actions))


def the_same_numbers_are_told_by_the_commands(sidecar: Followed) -> None:
    history = sidecar.told("history", str(sidecar.user), "--json")
    assert [(one["id"], one["notice_id"]) for one in history["bounces"]] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert [one["id"] for one in sidecar.told("outbox", "--all", "--json")] == [1]
    assert [one["id"] for one in sidecar.told("aside", "list", "--json")] == [2]
    why = sidecar.told("why", str(sidecar.user))
    assert all(f"bounce {number}" in why for number in (1, 2, 3, 4))
    assert "action 1: done: unconfirmed" in why


def what_the_documentation_says_finds_all_of_it(sidecar: Followed, number: int) -> None:
    """As in "Following one bounce", with the log's file for the journal."""
    script = f"""grep '"user":{sidecar.user},' {sidecar.folder}/log | grep '"wiki":"{WIKI}"'"""
    found = subprocess.run(script, shell=True, capture_output=True, text=True, check=True).stdout
    assert len(found.splitlines()) == number


def test_every_line_is_ecs_from_the_first_to_the_last(sidecar: Followed, practice: PracticeWiki) -> None:
    sidecar.start()
    sidecar.come_back(3)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        sidecar.hand_in(f"wiki-{WIKI}-7-t0abcd-{'a' * 24}@{DOMAIN}", b"forged")
    sidecar.set_password("0" * 32)
    sidecar.reload()
    sidecar.come_back(2)
    sidecar.come_back(1)
    sidecar.stop()
    lines = sidecar.lines()
    assert [lines[0]["message"], lines[-1]["message"]] == ["serving", "stopping"]
    assert {"notice", "refused", "reloaded"} <= {one["message"] for one in lines}
    types: dict[str, set[type]] = {}
    for name, value in (fact for line in lines for fact in line.items()):
        types.setdefault(name, set()).add(type(value))
    assert [name for name, kinds in types.items() if len(kinds) > 1] == [], "one type for each field"


def test_at_level_debug_an_address_is_shown_and_still_no_secret(sidecar: Followed) -> None:
    config = sidecar.folder / "config.toml"
    config.write_text(config.read_text().replace("[log]", '[log]\nlevel = "debug"'))
    sidecar.start()
    sidecar.come_back(3)
    sidecar.stop()
    lines = sidecar.lines("notice")
    assert [line["log.level"] for line in lines] == ["info", "debug"]
    assert lines[1]["notice"] == lines[0]["notice"]
    assert lines[1]["return_path"].endswith(f"@{DOMAIN}")
    assert "return_path" not in lines[0]
    # That no secret is in it is seen to after every test (fixtures_logs.py), which knows key and password.

"""keys: listed, added, retired, revoked, pruned, on real files; never a word of a secret."""

import json
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sidecar.domain.key_file import moment
from sidecar.edges.secret_file import changing
from sidecar.recorded import recorded
from tests.support.desk import arrive, say
from tests.support.practice import ADDRESS, KEY, WIKI, configured, load, start_once

DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    return tmp_path


def listed(folder: Path, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(say(folder, "keys", "list", "--json", *options).stdout)
    return found


def states(folder: Path) -> list[str]:
    return [row["state"] for row in listed(folder)]


def counted(folder: Path) -> list[tuple[str, int]]:
    return [(row["state"], row["bounces"]) for row in listed(folder)]


def lines(folder: Path) -> list[str]:
    return (folder / "verp.keys").read_text().splitlines()


def ids(folder: Path) -> list[str]:
    return [row["id"] for row in listed(folder)]


def done(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def now() -> datetime:
    return datetime.now(UTC)


def test_a_new_key_signs_a_day_later_and_verifies_at_once(folder: Path) -> None:
    said = done(say(folder, "keys", "add"))
    old, new = listed(folder)
    begins = datetime.fromisoformat(new["from"])
    assert (old["state"], new["state"]) == ("signs", "will sign")
    assert old["signs_until"] == new["signs_from"] == new["from"]
    assert abs(begins - now() - DAY) < timedelta(minutes=5)
    assert f"key {new['id']} signs from {begins:%Y-%m-%d %H:%M} UTC on" in said
    assert (
        f"hand {folder}/verp.keys to every node, and `systemctl reload bounce-sidecar` there, before" in said
    )
    assert (folder / "verp.keys").read_text().splitlines()[0] == KEY
    verp = load(folder).verp
    later = verp.issue(WIKI, 7, ADDRESS, begins)
    assert verp.recognise(later, now()).key_id == new["id"]
    assert verp.recognise(verp.issue(WIKI, 7, ADDRESS, now()), now()).key_id == old["id"]


def test_on_a_single_host_it_signs_at_once(folder: Path) -> None:
    assert "reload bounce-sidecar` there, at once" in done(say(folder, "keys", "add", "--now"))
    assert states(folder) == ["verifies", "signs"]


def test_it_begins_when_it_is_told_to(folder: Path) -> None:
    done(say(folder, "keys", "add", "--from", "2099-01-01T10:00"))
    assert listed(folder)[1]["from"] == "2099-01-01T10:00:00+00:00"
    assert say(folder, "keys", "add", "--from", "2099-01-01", "--now").exit_code == 2


def test_a_whole_rotation(folder: Path) -> None:
    done(say(folder, "keys", "add"))
    old, new = ids(folder)
    said = done(say(folder, "keys", "retire", old))
    assert f"key {old} signs no more from" in said
    assert f"then key {new} signs" in said
    first = listed(folder)[0]
    assert datetime.fromisoformat(first["until"]) - datetime.fromisoformat(first["retired"]) == 11 * DAY
    assert done(say(folder, "keys", "prune")) == "every key is still of use\n"
    _age(folder, 12)
    assert states(folder) == ["expired", "signs"]
    assert f"dropped: {old}\n" in done(say(folder, "keys", "prune"))
    assert ids(folder) == [new]
    assert listed(folder)[0]["age_days"] == 11


def _age(folder: Path, days: int) -> None:
    """As if the file had been written so many days ago."""
    file = folder / "verp.keys"

    def earlier(found: re.Match[str]) -> str:
        return moment(datetime.fromisoformat(found[0]) - days * DAY)

    file.write_text(re.sub(r"\d{4}-\d\d-\d\dT[0-9:]+Z", earlier, file.read_text()))


def test_the_last_key_that_signs_is_not_retired(folder: Path) -> None:
    [only] = ids(folder)
    refused = say(folder, "keys", "retire", only, "--now")
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"{folder}/verp.keys: key {only} is the last one that signs; `keys add` first\n",
    )
    assert (folder / "verp.keys").read_text() == KEY + "\n"


def test_a_leaked_key_is_given_up_at_once_for_a_new_one(folder: Path) -> None:
    path = load(folder).verp.issue(WIKI, 7, ADDRESS, now())
    [leaked] = ids(folder)
    said = done(say(folder, "keys", "revoke", leaked))
    assert states(folder) == ["revoked", "signs"]
    assert f"key {leaked} is revoked: bounces of mail that it signed, up to 10 days old, are refused" in said
    assert f"key {ids(folder)[1]} signs now, made just now" in said
    assert f"`keys pardon {leaked}`" in said
    refused = say(folder, "verp", "check", path)
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"Forged: signed by the key {leaked}, which was revoked\n",
    )
    done(say(folder, "keys", "revoke", leaked))
    assert states(folder) == ["revoked", "signs"]


@pytest.mark.parametrize(
    "command", [("add",), ("add", "--now"), ("revoke", "ID"), ("retire", "ID", "--now"), ("prune",)]
)
def test_a_dry_run_changes_nothing(folder: Path, command: tuple[str, ...]) -> None:
    done(say(folder, "keys", "add", "--from", "2026-01-01"))
    before, stamp = (folder / "verp.keys").read_bytes(), (folder / "verp.keys").stat().st_ino
    words = [ids(folder)[1] if word == "ID" else word for word in command]
    said = done(say(folder, "keys", *words, "--dry-run"))
    assert "would be: " in said or said == "every key is still of use\n"
    assert ((folder / "verp.keys").read_bytes(), (folder / "verp.keys").stat().st_ino) == (before, stamp)


def test_no_command_shows_a_secret(folder: Path) -> None:
    shown = done(say(folder, "keys", "add", "--now"))
    shown += done(say(folder, "keys", "retire", ids(folder)[0]))
    shown += done(say(folder, "keys", "revoke", ids(folder)[1]))
    shown += say(folder, "keys", "list").output + say(folder, "keys", "list", "--json").output
    secrets = [
        line.split(" from=")[0].split(" retired=")[0]
        for line in (folder / "verp.keys").read_text().splitlines()
    ]
    assert len(secrets) == 3
    assert KEY in secrets
    assert not any(secret in shown for secret in secrets)


def test_comments_and_the_mode_stay(folder: Path) -> None:
    file = folder / "verp.keys"
    file.write_text(f"# of the year 2025, ask ops@\n{KEY}\n# end")
    file.chmod(0o640)
    done(say(folder, "keys", "add"))
    assert file.read_text().startswith(f"# of the year 2025, ask ops@\n{KEY}\n# end\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_is_followed_and_the_file_is_named(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    real = tmp_path_factory.mktemp("puppet") / "keys"
    (folder / "verp.keys").rename(real)
    (folder / "verp.keys").symlink_to(real)
    assert f"hand {real} to every node" in done(say(folder, "keys", "add"))
    assert (folder / "verp.keys").is_symlink()
    assert len(real.read_text().splitlines()) == 2


def test_a_file_that_others_may_read_is_refused_as_by_the_daemon(folder: Path) -> None:
    (folder / "verp.keys").chmod(0o644)
    refused = say(folder, "keys", "add")
    assert (refused.exit_code, refused.stderr) == (
        78,
        f"{folder}/verp.keys: others may read or write this file; chmod o-rwx it\n",
    )
    assert (folder / "verp.keys").read_text() == KEY + "\n"


def test_a_file_with_a_mistake_is_not_touched(folder: Path) -> None:
    (folder / "verp.keys").write_text(f"{KEY}\nshort from=2026-12-01T10:00:00Z\n{KEY} form=x\n")
    refused = say(folder, "keys", "add")
    assert refused.exit_code == 78
    assert refused.stderr == (
        f"{folder}/verp.keys: line 3: ends with a word and = that say nothing of a key; "
        "known are from=, retired=, until=, revoked=\n"
        f"{folder}/verp.keys: a key of 5 octets is too short, 32 are needed\n"
    )
    assert say(folder, "check-config").stderr == refused.stderr.replace(
        f"{folder}/verp.keys: ", f"{folder}/config.toml: [verp] keys_file = 'verp.keys': "
    )


def test_two_commands_at_once_do_not_lose_a_key(folder: Path) -> None:
    with changing(folder / "verp.keys"):
        refused = say(folder, "keys", "add")
    assert (refused.exit_code, refused.stderr) == (
        75,
        f"{folder}/verp.keys: another command is changing it; try again\n",
    )
    done(say(folder, "keys", "add"))


def test_what_systemd_hands_in_is_not_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (folder / "verp.keys").rename(credentials / "verp.keys")
    refused = say(folder, "keys", "add")
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"{folder}/verp.keys: No such file or directory; if systemd hands it in (LoadCredential=), name its "
        "source with --file\n",
    )
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    refused = say(folder, "keys", "add")
    assert refused.exit_code == 1
    assert "is systemd's copy, which cannot be changed: name its source with --file" in refused.stderr
    assert states(folder) == ["signs"]
    source = folder / "source"
    source.touch(0o600)
    source.write_text(KEY + "\n")
    done(say(folder, "keys", "add", "--file", str(source)))
    assert len(source.read_text().splitlines()) == 2


def test_where_nothing_is_configured_a_file_may_be_named(tmp_path: Path) -> None:
    file = tmp_path / "keys-for-all-nodes"
    file.touch(0o600)
    file.write_text(KEY + "\n")
    done(say(tmp_path, "keys", "add", "--file", str(file)))
    assert say(tmp_path, "keys", "add").exit_code == 78
    shown = say(tmp_path, "keys", "list", "--json", "--file", str(file))
    assert [row["state"] for row in json.loads(shown.stdout)] == ["signs", "will sign"]
    assert shown.stderr.startswith("the history was not asked: ")


def fail(folder: Path) -> None:
    """Three bounces over eight days, of user 7."""
    case = recorded("postfix/01-no-such-user").addressed(ADDRESS, "x@bounces.example.org")
    time = now().replace(microsecond=0)
    for days in (8, 4, 0):
        arrive(folder, case, time - days * DAY)


def test_the_list_tells_how_many_bounces_a_key_has_signed(folder: Path) -> None:
    start_once(folder)
    fail(folder)
    done(say(folder, "keys", "add", "--now"))
    assert counted(folder) == [("verifies", 3), ("signs", 0)]
    shown = done(say(folder, "keys", "list"))
    assert re.search(rf"{ids(folder)[0]} +verifies +3 *\n", shown)
    (folder / "verp.keys").write_text(lines(folder)[1] + "\n")
    assert [(row["state"], row["bounces"]) for row in listed(folder)] == [
        ("signs", 0),
        ("not in the file", 3),
    ]


def test_what_a_leaked_key_signed_is_pardoned_and_what_is_owed_for_it_overtaken(folder: Path) -> None:
    start_once(folder)
    fail(folder)
    [leaked] = ids(folder)
    assert json.loads(say(folder, "outbox", "--json").stdout)
    done(say(folder, "keys", "revoke", leaked))
    told = done(say(folder, "keys", "pardon", leaked))
    assert told.splitlines()[0] == f"signed by {leaked}: bounces 3, that may count 3, users 1"
    told = json.loads(done(say(folder, "keys", "pardon", leaked, "--since", "2000-01-01", "--yes", "--json")))
    assert (told["found"]["hard"], told["pardoned"]) == (3, 3)
    assert "that may count 0" in done(say(folder, "keys", "pardon", leaked))
    assert "pardoned by an operator" in say(folder, "why", "7").stdout
    assert json.loads(done(say(folder, "keys", "pardon", "0badc0de", "--yes", "--json")))["pardoned"] == 0

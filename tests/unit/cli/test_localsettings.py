"""check-config --from-localsettings and settings: what is printed, what is written, and the exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.localsettings.counterparts import COUNTERPARTS
from tests.support.desk import say
from tests.support.leaks import secret
from tests.support.practice import KEY, PASSWORD

TOO_SHORT = "a key of 5 octets is too short, 16 are needed"
SECRET = secret("a secret of the wiki, 1234")
GOOD = f"""<?php
$wgServer = 'https://wiki.example.org';
$wgScriptPath = '/w';
$wgDBname = 'my_wiki';
$wgVERPdomainPart = 'bounces.example.org';
$wgVERPsecret = '{SECRET}';
"""


@pytest.fixture
def php(tmp_path: Path) -> Path:
    path = tmp_path / "LocalSettings.php"
    path.write_text(GOOD)
    return path


def test_what_it_prints_is_a_configuration_that_is_called_good(tmp_path: Path, php: Path) -> None:
    secret = tmp_path / "their.secret"
    made = say(tmp_path, "check-config", "--from-localsettings", str(php), "--write-secret", str(secret))
    assert (made.exit_code, made.stderr) == (0, "")
    assert SECRET not in made.stdout
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == (SECRET + "\n", 0o640)
    (tmp_path / "config.toml").write_text(made.stdout)
    for name, content in (("verp.keys", KEY), ("bot.password", PASSWORD)):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(content)
    assert "good, 1 wiki: 1 in shadow mode" in say(tmp_path, "check-config").stdout


def test_a_secret_elsewhere_is_named_by_its_whole_path(tmp_path: Path, php: Path) -> None:
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "theirs"
    made = say(tmp_path, "check-config", "--from-localsettings", str(php), "--write-secret", str(file))
    assert f'secret_file = "{file}"' in made.stdout


def test_nothing_is_ever_overwritten(tmp_path: Path, php: Path) -> None:
    secret = tmp_path / "their.secret"
    secret.write_text("precious")
    made = say(tmp_path, "check-config", "--from-localsettings", str(php), "--write-secret", str(secret))
    words = f"--write-secret: {secret} is there already, and stays as it is\n"
    assert (made.exit_code, made.stderr, made.stdout) == (1, words, "")
    assert secret.read_text() == "precious"


def test_a_link_is_not_followed(tmp_path: Path, php: Path) -> None:
    (tmp_path / "their.secret").symlink_to(tmp_path / "elsewhere")
    made = say(
        tmp_path,
        "check-config",
        "--from-localsettings",
        str(php),
        "--write-secret",
        f"{tmp_path}/their.secret",
    )
    assert made.exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


def test_its_public_secret_is_told_and_not_written(tmp_path: Path, php: Path) -> None:
    php.write_text(GOOD.replace(SECRET, "MediawikiVERP"))
    made = say(tmp_path, "check-config", "--from-localsettings", str(php))
    assert (made.exit_code, "public default: anybody can sign" in made.stderr) == (1, True)
    secret = tmp_path / "their.secret"
    made = say(tmp_path, "check-config", "--from-localsettings", str(php), "--write-secret", str(secret))
    assert (made.exit_code, made.stdout, secret.exists()) == (1, "", False)


def test_what_our_own_reader_would_refuse_is_told_at_once(tmp_path: Path, php: Path) -> None:
    php.write_text(GOOD.replace(SECRET, "short") + "$wgVERPprefix = 'no-hyphens';\n$wgDBname = f();\n")
    made = say(tmp_path, "check-config", "--from-localsettings", str(php))
    assert made.exit_code == 1
    told = [line.removeprefix(f"{php}: ") for line in made.stderr.splitlines()]
    assert told == [
        "[[wikis]] id: $wgDBname, line 8: set by a function (f)",
        "[verp] prefix = 'no-hyphens': want 1 to 16 letters, digits or underscores",
        "[verp.bouncehandler] prefix = 'no-hyphens': want 1 to 16 letters, digits or underscores",
        f"[verp.bouncehandler] secret_file = 'bouncehandler.secret': {TOO_SHORT}",
    ]
    assert "short" not in made.stdout.replace("too short", "")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("no PHP", "line 1: there is no <?php"),
        ("<?php\n'", "line 2: what begins here is no PHP; perhaps it is never closed"),
    ],
)
def test_what_is_no_php_is_refused(tmp_path: Path, php: Path, source: str, words: str) -> None:
    php.write_text(source)
    made = say(tmp_path, "check-config", "--from-localsettings", str(php))
    assert (made.exit_code, made.stdout, made.stderr) == (2, "", f"{php}: {words}\n")


def test_without_the_libraries_that_read_php_it_says_where_they_are(
    tmp_path: Path, php: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    made = say(tmp_path, "check-config", "--from-localsettings", str(php))
    words = "needs the library tree_sitter: pip install 'bounce-sidecar[localsettings]'\n"
    assert (made.exit_code, made.stdout, made.stderr) == (2, "", words)


def test_nothing_else_loads_them() -> None:
    code = "import sys, sidecar.cli; sys.exit(any(name.startswith('tree_sitter') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("words", [["--write-secret", "x"], ["--json", "--from-localsettings", "{php}"]])
def test_options_that_mean_nothing_together_are_refused(tmp_path: Path, php: Path, words: list[str]) -> None:
    assert say(tmp_path, "check-config", *(word.format(php=php) for word in words)).exit_code == 2


def test_the_table_of_settings_needs_no_configuration(tmp_path: Path) -> None:
    told = say(tmp_path, "settings").stdout
    assert "$wgVERPAcceptTime, by default 259200\n    here: [verp] accept_days; " in told
    assert len(json.loads(say(tmp_path, "settings", "--json").stdout)) == len(COUNTERPARTS)

"""mta: the script or what is wrong, and exit codes that scripts go by."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import main
from tests.support.practice import configured

SOCKETS = 'mta_directory = "/var/spool/postfix/bounce-sidecar"\nmta_group = "postfix"'


def say(folder: Path, *words: str) -> Result:
    """With no mail server in the PATH."""
    runner = CliRunner(env={"PATH": str(folder)})
    return runner.invoke(main, ["--config", str(folder / "config.toml"), "mta", *words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("[sockets]", f"[sockets]\n{SOCKETS}"))
    return tmp_path


def test_the_script_is_all_that_is_printed(folder: Path) -> None:
    result = say(folder, "postfix")
    assert result.exit_code == 0
    assert result.stdout.startswith("#!/bin/sh\n")
    assert result.stdout.endswith("fi\n")
    assert result.stderr == ""


def test_settings_that_cannot_work_are_named_and_nothing_is_printed(tmp_path: Path) -> None:
    configured(tmp_path)
    result = say(tmp_path, "postfix")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'set [sockets] mta_directory = "/var/spool/postfix/bounce-sidecar"' in result.stderr
    assert 'set mta_group = "postfix"' in result.stderr
    assert say(tmp_path, "exim").exit_code == 1


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_a_check_without_a_mail_server_is_wrong_in_words_and_in_json(folder: Path, kind: str) -> None:
    words = say(folder, kind, "--check")
    assert (words.exit_code, words.stdout.partition(" ")[0]) == (1, "WRONG")
    result = say(folder, kind, "--check", "--json")
    (finding,) = json.loads(result.stdout)
    assert (result.exit_code, finding["state"], finding["subject"]) == (1, "WRONG", kind)
    assert set(finding) == {"state", "what", "remedy", "subject"}


@pytest.mark.parametrize("server", ["localhost", "127.0.0.1:x", "127.0.0.1:0"])
def test_a_server_is_host_and_port(folder: Path, server: str) -> None:
    assert say(folder, "postfix", "--check", "--smtp", server).exit_code == 2

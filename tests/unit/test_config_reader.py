"""A configuration that another process reads is the one that this process would have read."""

import os
import signal
import subprocess
import sys
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar import config_reader
from sidecar.config_reader import Reading
from sidecar.configuration.configured import ConfigError
from tests.support.leaks import secret
from tests.support.practice import configured, load

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOKEN = secret("bearer-token-of-these-tests-0123456789")
MORE = """
[metrics]
listen = "127.0.0.1:9161"
[http]
listen = "127.0.0.1:8025"
token_file = "http.token"
[dashboard]
listen = "127.0.0.1:8026"
token_file = "http.token"
[digest]
to = ["ops@example.org"]
sender = "bounces@example.org"
[summary]
to = ["ops@example.org"]
sender = "bounces@example.org"
[canary]
smtp = "127.0.0.1:25"
[verp.bouncehandler]
secret_file = "verp.keys"
"""


def told(value: object) -> object:
    """All that is in a value, secrets too, as far down as it goes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: told(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [told(one) for one in value]
    if isinstance(value, dict):
        return {key: told(one) for key, one in value.items()}
    if type(value).__module__.startswith("sidecar.domain") and hasattr(value, "__dict__"):
        return told(vars(value))
    return value


@pytest.mark.slow
def test_every_value_is_handed_over_secrets_among_them(tmp_path: Path) -> None:
    path = configured(tmp_path)
    (tmp_path / "http.token").touch(0o600)
    (tmp_path / "http.token").write_text(TOKEN + "\n")
    path.write_text(path.read_text() + MORE)
    read, here = Reading.begin(path).wait(), load(tmp_path)
    assert told(read) == told(here)
    assert read.listen.http is not None
    assert read.listen.http.token == TOKEN
    assert read.verp.recognise(here.verp.issue("enwiki", 7, "ann@remote.example", NOW), NOW).user_id == 7


@pytest.mark.slow
def test_all_problems_are_told_as_here(tmp_path: Path) -> None:
    path = configured(tmp_path)
    path.write_text(path.read_text() + "[metrics]\nlisten = 7\nport = 8\n")
    with pytest.raises(ConfigError) as here:
        load(tmp_path)
    with pytest.raises(ConfigError) as told:
        Reading.begin(path).wait()
    assert len(here.value.problems) == 2
    assert told.value.problems == here.value.problems


@pytest.mark.slow
def test_the_environment_counts_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = configured(tmp_path)
    monkeypatch.setenv("BOUNCE_SIDECAR_LOG__LEVEL", "debug")
    assert Reading.begin(path).wait().log_level == "debug"


def test_a_reader_that_is_killed_is_told_in_words() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    os.kill(process.pid, signal.SIGKILL)  # as the kernel does where memory is short
    with pytest.raises(ConfigError, match="what reads it ended with -9"):
        Reading(process).wait()


def test_a_reader_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_reader, "PATIENCE", 0.05)
    process = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], stdout=subprocess.PIPE
    )
    with pytest.raises(ConfigError, match="could not be read within"):
        Reading(process).wait()
    assert process.returncode == -signal.SIGKILL

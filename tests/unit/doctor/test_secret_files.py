"""The doctor and the secrets: real files, real accounts."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.doctor import secret_files
from sidecar.domain.finding import State
from tests.support.practice import KEY
from tests.unit.doctor.test_configuration import Unprivileged, patient, root_only

NOBODY, NOGROUP = 65534, 65534
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def secret(short_folder: Path) -> Path:
    short_folder.chmod(0o755)
    file = short_folder / "bot.password"
    file.touch(0o640)
    return file


@root_only
def test_one_that_its_group_may_read(secret: Path) -> None:
    os.chown(secret, 0, NOGROUP)
    (line,) = secret_files.file_findings(patient(secret), [secret])
    assert line.state is State.OK
    assert line.what == "nobody may read each of the 1 files, and nobody else may change one"


@root_only
def test_one_that_the_daemon_may_not_read(secret: Path) -> None:
    (line,) = secret_files.file_findings(patient(secret), [secret])
    assert (line.state, line.what) == (State.WRONG, f"nobody may not read {secret}")
    assert line.remedy == f"chgrp nobody {secret} && chmod 0640 {secret}"


@root_only
def test_one_that_somebody_else_owns(secret: Path) -> None:
    os.chown(secret, 1, NOGROUP)
    (line,) = secret_files.file_findings(patient(secret), [secret])
    assert (line.state, line.what) == (State.WARN, f"{secret} belongs to daemon, who may change it")


def test_one_in_a_folder_of_everybody(secret: Path) -> None:
    secret.parent.chmod(0o777)
    lines = secret_files.file_findings(patient(secret, "root"), [secret])
    assert f"everybody may replace {secret}" in [one.what for one in lines if one.state is State.WRONG]


def test_who_is_not_root_does_not_know_and_without_a_user_nobody_does(secret: Path) -> None:
    os.chmod(secret, 0o600)
    (line,) = secret_files.file_findings(patient(secret, "daemon", Unprivileged()), [secret])
    assert (line.state, line.remedy) == (State.UNKNOWN, "run this as root")
    (line,) = secret_files.file_findings(patient(secret, "no-such-user"), [secret])
    assert (line.state, "--user" in line.remedy) == (State.UNKNOWN, True)


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        (f"{KEY} from=2026-05-01T00:00:00Z", State.OK, "1 key, 1 of which good"),
        (f"{KEY} from=2025-05-01T00:00:00Z", State.WARN, "since 2025-05-01: longer than a year"),
        (KEY, State.WARN, "since 2025-02-03"),  # nothing is said of it: as old as the file
        (f"{KEY}\n{KEY[::-1]} revoked=2026-01-01T00:00:00Z", State.WARN, "2 keys, 1 of which good"),
    ],
)
def test_the_age_of_the_key_that_signs(tmp_path: Path, said: str, state: State, words: str) -> None:
    file = tmp_path / "verp.keys"
    file.write_text(said + "\n")
    made = datetime(2025, 2, 3, tzinfo=UTC).timestamp()
    os.utime(file, (made, made))
    (line,) = secret_files.key_findings(file, NOW)
    assert (line.state, words in line.what, KEY in line.what) == (state, True, False), line
    assert line.remedy == ("" if state is State.OK else "bounce-sidecar keys add")


def test_a_young_file_is_a_young_key(tmp_path: Path) -> None:
    file = tmp_path / "verp.keys"
    file.write_text(KEY + "\n")
    (line,) = secret_files.key_findings(file, datetime.now(UTC) + timedelta(days=364))
    assert line.state is State.OK

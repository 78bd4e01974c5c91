"""The doctor and the database: real files, a real small disk, and conditions that a server would have."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.doctor import database
from sidecar.domain.finding import Finding, State
from sidecar.domain.trouble import Tolerance
from sidecar.storage import versions
from sidecar.storage.condition import Condition
from sidecar.storage.engines import Kind
from sidecar.storage.versions import Version
from tests.support.desk import say
from tests.support.doctor import about, examined
from tests.support.practice import configured, load, start_once
from tests.unit.doctor.test_configuration import Unprivileged, patient, root_only

NOW = versions.newest()
TOLERANCE = Tolerance(full=64 << 20, low=128 << 20)
BEFORE = f"{int(NOW) - 1:04}"
GOOD = Condition(
    Kind.POSTGRESQL, "15.3", Version("0007", "0007", "0007"), [], "", "", timedelta(0), [], 3 << 20
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    return tmp_path


def found(folder: Path) -> list[Finding]:
    return about("database", examined(folder, "--user", "root"))


def test_a_history_that_is_well(folder: Path) -> None:
    start_once(folder)
    line, disk = found(folder)
    assert (line.state, ": sqlite 3." in line.what) == (State.OK, True)
    assert (disk.state, disk.what.endswith(f"MiB free where {folder} is")) == (State.OK, True)


def test_none_yet(folder: Path) -> None:
    line, _ = found(folder)
    assert (line.state, "there is no history yet" in line.what) == (State.WRONG, True)
    assert "start the daemon once" in line.remedy
    assert not (folder / "history.db").exists()


def test_looking_changes_nothing(folder: Path) -> None:
    start_once(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    examined(folder)
    assert {path: path.read_bytes() for path in folder.iterdir() if path in before} == before


def test_an_older_one(folder: Path) -> None:
    start_once(folder)
    assert say(folder, "db", "downgrade", BEFORE, "--yes").exit_code == 0
    line, _ = found(folder)
    assert (line.state, f"version {BEFORE}, this program wants {NOW}" in line.what) == (State.WRONG, True)
    assert "db upgrade" in line.what


def test_a_newer_one(folder: Path) -> None:
    start_once(folder)
    with sqlite3.connect(folder / "history.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE requirement SET oldest = '9999'")
    line, *_ = found(folder)
    assert (line.state, "9999" in line.what) == (State.WRONG, True)


def test_what_is_no_database(folder: Path) -> None:
    (folder / "history.db").write_bytes(b"no database" * 999)
    line, _ = found(folder)
    assert (line.state, "file is not a database" in line.what) == (State.WRONG, True)


@root_only
def test_a_file_that_the_daemon_may_not_change(short_folder: Path) -> None:
    short_folder.chmod(0o755)
    configured(short_folder)
    start_once(short_folder)
    lines = list(database.file_findings(patient(short_folder / "config.toml"), short_folder / "history.db"))
    assert [one.what for one in lines] == [
        f"nobody may not change {short_folder}/history.db",
        f"nobody may not make files in {short_folder}",
    ]
    assert lines[0].remedy.startswith(f"chown nobody {short_folder}/history.db; ")


def test_who_is_not_root_cannot_tell(folder: Path) -> None:
    start_once(folder)
    who = patient(folder / "config.toml", "daemon", Unprivileged())
    assert {one.state for one in database.file_findings(who, folder / "history.db")} == {State.UNKNOWN}


def test_a_log_that_was_never_emptied(folder: Path) -> None:
    (folder / "history.db").touch()
    with (folder / "history.db-wal").open("wb") as log:
        log.truncate(database.LONG_LOG + 1)
    (line,) = database.file_findings(patient(folder / "c", "no-such-user"), folder / "history.db")
    assert (line.state, "has 512 MiB" in line.what) == (State.WARN, True)


@pytest.fixture
def small_disk(short_folder: Path) -> Iterator[Path]:
    """Of 400 MiB, and 200 files."""
    options = "size=400m,nr_inodes=200"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(short_folder)], check=False)
    if made.returncode:
        pytest.skip("this host lets nobody mount")
    yield short_folder
    subprocess.run(["umount", str(short_folder)], check=True)


@root_only
def test_a_disk_that_fills(small_disk: Path) -> None:
    states = []
    for free in (200, 100, 30):
        with (small_disk / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, (400 - free) << 20)
        (line,) = database.disk_findings(small_disk, TOLERANCE)
        states.append(line.state)
    assert states == [State.OK, State.WARN, State.WRONG]
    assert "bounces are refused for now when it is full" in line.what
    assert "make room" in line.remedy


@root_only
def test_a_disk_without_inodes(small_disk: Path) -> None:
    for number in range(150):
        (small_disk / str(number)).touch()
    _, line = database.disk_findings(small_disk, TOLERANCE)
    assert (line.state, "no inodes are left" in line.what) == (State.WRONG, True)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, State.OK, "postgresql 15.3, version 0007, 3.0 MiB"),
        ({"problems": ["max_connections is 5"]}, State.WRONG, "max_connections is 5"),
        ({"only_reads": "a standby"}, State.WRONG, "lets nobody write: a standby"),
        ({"durable": "fsync is off"}, State.WARN, "a power cut may lose what was promised: fsync is off"),
        ({"ahead": timedelta(seconds=61)}, State.WRONG, "is 61 s ahead of this host's clock"),
        ({"ahead": timedelta(hours=-1)}, State.WRONG, "is 3,600 s behind this host's clock"),
        ({"ahead": timedelta(seconds=59)}, State.OK, "version 0007"),
    ],
)
def test_each_condition_of_a_server(change: dict[str, object], state: State, words: str) -> None:
    line = next(iter(database.judged("postgresql+psycopg://db/bounces", replace(GOOD, **change))))  # type: ignore[arg-type]
    assert (line.state, words in line.what) == (state, True), line


def test_a_server_that_is_not_reached(folder: Path) -> None:
    path = folder / "config.toml"
    url = "postgresql+psycopg://sidecar@127.0.0.1:9/bounces"
    path.write_text(path.read_text().replace(f"sqlite:///{folder}/history.db", url))
    (line,) = database.history(patient(path), load(folder)).findings
    assert (line.state, line.what.startswith(url), "db status" in line.remedy) == (State.WRONG, True, True)

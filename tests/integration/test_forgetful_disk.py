"""The disk of the campaign: it is as bad as it is told to be, and forgets what was not synced."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forgetful_disk import ForgetfulDisk, Letter

WRITE = """
import os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for word in sys.argv[2:]:
    try:
        os.fsync(file) if word == "sync" else os.pwrite(file, word.encode(), os.fstat(file).st_size)
    except OSError as error:
        print(error.strerror)
"""


@pytest.fixture
def disk(tmp_path: Path) -> ForgetfulDisk:
    return ForgetfulDisk(tmp_path, tmp_path / "file")


def written(disk: ForgetfulDisk, path: Path, *words: str) -> tuple[str, int]:
    """What is said of it, and the exit code."""
    command = [sys.executable, "-c", WRITE, str(path), *words]
    done = subprocess.run(command, env=disk.environment, capture_output=True, text=True, timeout=30)
    return done.stdout.strip(), done.returncode


def test_a_disk_that_is_well_keeps_everything(disk: ForgetfulDisk, tmp_path: Path) -> None:
    assert written(disk, tmp_path / "file", "one", "sync", "two") == ("", 0)
    assert (tmp_path / "file").read_text() == "onetwo"
    assert disk.struck == 0


@pytest.mark.parametrize(
    ("letter", "words", "said", "left"),
    [
        (Letter.SYNC_FAILS, ["one", "sync"], "Input/output error", "one"),
        (Letter.WRITE_FAILS, ["one"], "Input/output error", ""),
        (Letter.NO_SPACE, ["one"], "No space left on device", ""),
        (Letter.SHORT, ["long"], "", "lo"),
    ],
)
def test_it_fails_as_it_is_told(
    disk: ForgetfulDisk, tmp_path: Path, letter: str, words: list[str], said: str, left: str
) -> None:
    disk.says(letter)
    assert written(disk, tmp_path / "file", *words) == (said, 0)
    assert (tmp_path / "file").read_text() == left
    assert disk.struck == 1


def test_when_the_power_fails_what_was_not_synced_is_gone(disk: ForgetfulDisk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    disk.says(Letter.POWER_FAILS)
    assert written(disk, tmp_path / "file", "new", "sync") == ("", -9)
    assert (tmp_path / "file").read_text() == "old"


def test_no_other_file_is_touched(disk: ForgetfulDisk, tmp_path: Path) -> None:
    disk.says(Letter.WRITE_FAILS)
    assert written(disk, tmp_path / "another", "one", "sync") == ("", 0)
    assert (tmp_path / "another").read_text() == "one"

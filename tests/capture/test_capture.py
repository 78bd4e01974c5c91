"""The capture itself: its tables fit what is kept, and its comparison finds what differs and nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.capture.__main__ import KEPT
from tests.capture.compare import differences
from tests.capture.servers import SERVERS
from tests.capture.servers.dma import Dma
from tests.support.bounce_cases import CASES
from tests.support.bounce_readings import LESS, NEVER, cases_of
from tests.support.fixtures_debian import installed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A copy of what is kept of sendmail, to be changed."""
    return shutil.copytree(KEPT / "sendmail", tmp_path / "sendmail")


@pytest.mark.parametrize("server", SERVERS)
def test_each_case_of_a_server_is_kept_and_nothing_else(server: str) -> None:
    names = [f"{number:02}-{case.name}" for number, case in enumerate(cases_of(server), 1)]
    assert sorted(path.stem for path in (KEPT / server).glob("*.eml")) == names
    assert sorted(path.stem for path in (KEPT / server).glob("*.toml")) == names


def test_exceptions_are_made_for_cases_that_exist() -> None:
    known = {case.name for case in CASES}
    for table in (NEVER, LESS):
        assert table.keys() <= SERVERS.keys()
        assert all(set(names) <= known for names in table.values())


def test_other_ids_times_boundaries_and_versions_are_no_difference(fresh: Path) -> None:
    for path in fresh.glob("*.eml"):
        raw = path.read_bytes()
        raw = re.sub(rb"6A[A-Za-z0-9]{6}\d{6}", b"6BMBkJOf000999", raw)
        raw = re.sub(rb"\d\d:\d\d:\d\d GMT", b"23:59:59 GMT", raw)
        path.write_bytes(raw.replace(b"\r\nMessage-Id: <2026", b"\r\nMessage-Id: <2031"))
    for path in fresh.glob("*.toml"):
        path.write_text(re.sub('^version = ".*"$', 'version = "9.0"', path.read_text(), flags=re.MULTILINE))
    assert all((KEPT / "sendmail" / path.name).read_bytes() != path.read_bytes() for path in fresh.iterdir())
    assert differences(KEPT / "sendmail", fresh) == []


def test_a_case_that_is_gone_and_one_that_is_new_differ(fresh: Path) -> None:
    for suffix in (".eml", ".toml"):
        (fresh / "05-mailbox-full").with_suffix(suffix).rename((fresh / "05-full").with_suffix(suffix))
    assert differences(KEPT / "sendmail", fresh) == [
        "sendmail/05-mailbox-full: no longer made",
        "sendmail/05-full: new",
    ]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (b"Action: failed", b"Action: delayed", "read as was 'bounce', is 'delayed'"),
        (b"Status: 5.2.2", b"Status: 5.2.1", "'status': '5.2.1'"),
        (b"Mailbox full, quota exceeded", b"User unknown", "'rule': 'mailbox-full'"),
        (b"RFC822; quota@remote.example", b"RFC822; other@remote.example", "'recipient': 'other@"),
    ],
)
def test_another_reading_differs(fresh: Path, before: bytes, after: bytes, found: str) -> None:
    path = fresh / "05-mailbox-full.eml"
    path.write_bytes(path.read_bytes().replace(before, after))
    lines = differences(KEPT / "sendmail", fresh)
    assert any(found in line for line in lines), lines
    assert all(line.startswith("sendmail/05-mailbox-full: ") for line in lines)


def test_another_expectation_differs(fresh: Path) -> None:
    path = fresh / "05-mailbox-full.toml"
    path.write_text(path.read_text().replace("hard = false", "hard = true"))
    assert differences(KEPT / "sendmail", fresh) == [
        "sendmail/05-mailbox-full: hard was False, is True",
    ]


@pytest.mark.servers
def test_the_command_captures_afresh_and_fails_where_what_is_kept_reads_otherwise(tmp_path: Path) -> None:
    """With dma, which needs the least time. The others are captured on demand: make capture-check."""
    installed("dma", Dma.packages)
    shutil.copytree(KEPT / "dma", tmp_path / "dma")
    same = _check(tmp_path)
    assert (same.returncode, "Nothing differs." in same.stdout) == (0, True), same
    mail = tmp_path / "dma/01-no-such-user.eml"
    mail.write_bytes(mail.read_bytes().replace(b"User unknown", b"Mailbox full"))
    other = _check(tmp_path)
    assert (other.returncode, "dma/01-no-such-user: report 1 was" in other.stdout) == (1, True), other
    assert b"Mailbox full" in mail.read_bytes(), "it has written"


def _check(kept: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.capture", "--check", "--kept", str(kept), "dma"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )

"""What looks for addresses and secrets in the logs of all tests finds them, and blames the right test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.leaks import Leaks

ROOT = Path(__file__).parents[2]
SECRET = "planted, and long enough to be found"

#: Tests that are started by the one below: each says what should become of it.
PLANTED = f"""
import subprocess, sys
import pytest, structlog
from structlog.testing import capture_logs
from tests.support.leaks import secret

log, KEY = structlog.get_logger(), secret({SECRET!r})


def test_good():
    log.info("notice", user=7, account="BounceBot@sidecar")
    log.debug("notice", to="bob@example.com")


def test_address():
    log.warning("notice", why="no such user bob@example.com")


def test_captured():
    with capture_logs():
        log.info("notice", to="bob@example.com")


def test_secret_at_debug():
    try:
        raise ValueError(KEY)
    except ValueError as error:
        log.debug("failed", exc_info=error)


def start(tmp_path, text):
    program = f"import sys; print({{text!r}}, file=sys.stderr)  # sidecar.cli"
    with open(tmp_path / "log", "ab") as stream:
        subprocess.run([sys.executable, "-c", program], stderr=stream, check=True)


def test_process(tmp_path):
    start(tmp_path, "event='notice' level='info' to='bob@example.com'")


@pytest.fixture
def at_the_end(tmp_path):
    yield
    start(tmp_path, "event='notice' level='debug' key=" + repr(KEY))


def test_fixture(at_the_end):
    pass


def test_good_again(tmp_path):
    start(tmp_path, "event='notice' level='debug' to='bob@example.com'")
"""


@pytest.mark.slow
def test_the_test_that_leaks_fails_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(PLANTED)
    plugins = ("-p", "tests.support.fixtures_logs", "-p", "no:cacheprovider")
    workers = ("--numprocesses", "2")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", *plugins, *workers, "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    ended = [line for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED", "ERROR"))]
    assert sorted(line.partition(" - ")[0].replace("test_planted.py::test_", "") for line in ended) == [
        "ERROR fixture",
        "FAILED address",
        "FAILED captured",
        "FAILED process",
        "FAILED secret_at_debug",
        "PASSED fixture",
        "PASSED good",
        "PASSED good_again",
    ], done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "event='refused' why='bob@example.com is no return path'",
        '{"message":"notice","bounce_sidecar":{"to":"bob@localhost"}}',
        "why=550 5.1.1 <Bob.O'Hara@xn--bcher-kva.example>",
        "path=wiki-enwiki-7-t0abcd-abcdefghijklmnopqrstuvwx",
        "Traceback: mail to o=hara@example.com",
    ],
)
def test_what_is_found(line: str) -> None:
    leaks = Leaks()
    leaks.look(line, debug=False)
    [found] = leaks.taken()
    assert line in found
    leaks.look(line, debug=True)
    assert leaks.taken() == [], "debug may tell"


@pytest.mark.parametrize(
    "line",
    [
        '{"@timestamp":"2026-11-28T13:17:42.231Z","log.level":"info","message":"notice"}',
        "database='postgresql+psycopg://sidecar@db.example.org/history'",
        "account='BounceBot@sidecar'",
        "(1045, \"Access denied for user 'lesser'@'127.0.0.1' (using password: NO)\")",
        "fingerprint=0123-4567-89ab-cdef",
    ],
)
def test_what_may_be_told(line: str) -> None:
    leaks = Leaks()
    leaks.look(line, debug=False)
    assert leaks.taken() == []


def test_a_secret_is_found_at_any_level() -> None:
    leaks = Leaks()
    leaks.secret(SECRET)
    leaks.look(f"key={SECRET!r}", debug=True)
    leaks.look(f"key={SECRET!r}", debug=False)
    leaks.look("database='postgresql://sidecar:password@db.example.org/history'", debug=True)
    assert [one.partition(":")[0] for one in leaks.taken()] == ["a secret", "a secret", "a password"]
    leaks.look("database='postgresql://sidecar:***@db.example.org/history'", debug=True)
    assert leaks.taken() == []
    with pytest.raises(ValueError, match="too short"):
        leaks.secret("abc")


def test_a_file_is_followed_line_by_line_until_nobody_can_name_it(tmp_path: Path) -> None:
    leaks, log = Leaks(), tmp_path / "log"
    log.write_text("to='before@example.com'\n")
    with log.open("a") as stream:
        leaks.follow(stream.fileno())
        leaks.follow(stream.fileno())
        stream.write("level='debug' to='one@example.com'\nlevel='info' to='two@exa")
        stream.flush()
        assert leaks.taken() == []
        log.unlink()
        stream.write("mple.com'\n")
    [found] = leaks.taken()
    assert "two@example.com" in found

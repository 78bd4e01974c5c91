"""A daemon with processes that sign: they end with it, and go on while it stands still; they weigh little."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.asking import last_answer
from tests.support.practice import configured, start_once
from tests.support.sidecar import is_served
from tests.support.waiting import said, until

PATIENCE = 60.0  # seconds; each starts a Python of its own

#: What a process that signs has no use for.
ELSEWHERE = {
    "sqlalchemy", "alembic", "aiohttp", "requests", "pydantic", "click", "rich", "multiprocessing",
    "sidecar.storage", "sidecar.configuration", "sidecar.domain.classify", "sidecar.daemon",
}  # fmt: skip


@pytest.mark.slow
def test_they_import_little() -> None:
    program = (
        "import sys; from sidecar.processes.lean import without_rich\n"
        "with without_rich(): import sidecar.signing.worker\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    imported = set(done.stdout.split())
    assert {"uvloop", "sidecar.edges.verp_socket"} <= imported
    assert ELSEWHERE & imported == set()


@contextmanager
def daemon(folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """A real one, in a session of its own, with two processes that sign."""
    path = configured(folder)
    path.write_text(path.read_text().replace("[sockets]", "[sockets]\nverp_processes = 2"))
    start_once(folder)
    command = [Path(sys.executable).with_name("bounce-sidecar"), "--config", path, "run"]
    with (folder / "log").open("ab") as log:
        started = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        said((folder / "log").read_text, "serving", seconds=PATIENCE)
        yield started
    finally:
        started.kill()
        started.wait()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pids: list[int]) -> bool:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            return False
    return True


@pytest.mark.slow
def test_none_outlives_a_daemon_that_was_killed(tmp_path: Path) -> None:
    with daemon(tmp_path) as first:
        theirs = children(first.pid)
        assert len(theirs) == 2
    until(lambda: gone(theirs), "the end of those that signed for it")
    assert not is_served(tmp_path / "verp.sock")


@pytest.mark.slow
def test_a_terminal_and_a_service_manager_tell_all_and_the_daemon_decides(tmp_path: Path) -> None:
    with daemon(tmp_path) as first:
        for process in children(first.pid):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(process, number)
        assert last_answer(tmp_path / "verp.sock").startswith("OK ")
        os.killpg(first.pid, signal.SIGINT)
        assert first.wait(PATIENCE) == 0
    assert "a signing process ended" not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_they_answer_while_the_daemon_is_stopped(tmp_path: Path) -> None:
    with daemon(tmp_path) as first:
        first.send_signal(signal.SIGSTOP)
        assert last_answer(tmp_path / "verp.sock").startswith("OK ")
        first.send_signal(signal.SIGCONT)
        first.terminate()
        assert first.wait(PATIENCE) == 0

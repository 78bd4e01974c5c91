"""A daemon as a process: what other accounts of the host and its doors can see of its secrets."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.leaks import secret
from tests.support.places import free_port
from tests.support.practice import KEY, PASSWORD, configured
from tests.support.waiting import until

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-c", "from sidecar.cli import main; main()"]
TOKENS = {name: secret(f"the-token-of-the-{name}-0123456789") for name in ("http", "dashboard")}
SECRETS = (KEY, PASSWORD, *TOKENS.values())
MORE = """
[http]
listen = "127.0.0.1:{http}"
token_file = "http.token"
[dashboard]
listen = "127.0.0.1:{dashboard}"
token_file = "dashboard.token"
[metrics]
listen = "127.0.0.1:{metrics}"
"""


@pytest.fixture
def ports() -> dict[str, int]:
    return {name: free_port() for name in ("http", "dashboard", "metrics")}


@pytest.fixture
def daemon(tmp_path: Path, ports: dict[str, int]) -> Iterator[subprocess.Popen[bytes]]:
    config = configured(tmp_path, mode="shadow")
    for name, token in TOKENS.items():
        (tmp_path / f"{name}.token").touch(0o600)
        (tmp_path / f"{name}.token").write_text(token + "\n")
    config.write_text(config.read_text() + MORE.format(**ports))
    command = [*PROGRAM, "--config", str(config), "run"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield process
        finally:
            process.terminate()


def seen(process: int) -> str:
    """What /proc tells of a process and of those that it has started: command lines and environments."""
    told = ""
    for one in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (one / "stat").read_text().rpartition(")")[2].split()[1]
            if int(one.name) == process or int(parent) == process:
                told += (one / "cmdline").read_text() + (one / "environ").read_text(errors="replace")
    return told


def asked(url: str, token: str = "") -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.headers) + answer.read().decode()
    except urllib.error.HTTPError as error:
        return str(error.headers) + error.read().decode()


def test_a_running_daemon_shows_no_secret(
    daemon: subprocess.Popen[bytes], ports: dict[str, int], tmp_path: Path
) -> None:
    told = []
    log = tmp_path / "log"
    until(lambda: told.append(seen(daemon.pid)) or "serving" in log.read_text(), "the daemon serves")
    os.kill(daemon.pid, signal.SIGHUP)
    until(lambda: told.append(seen(daemon.pid)) or "reloaded" in log.read_text(), "it has reloaded")
    assert any(one.count("sidecar") > told[0].count("sidecar") for one in told), "a child was seen"
    at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    pages = [asked(f"{at['dashboard']}{path}", TOKENS["dashboard"]) for path in ("/", "/wikis", "/login")]
    pages += [asked(f"{at['dashboard']}/"), asked(f"{at['metrics']}/metrics")]
    pages += [asked(f"{at['http']}{path}", TOKENS["http"]) for path in ("/readyz", "/bounces", "/nowhere")]
    assert "bounce_sidecar_reloads_total" in pages[4]
    everything = "".join([*told, *pages, log.read_text()])
    assert [one for one in SECRETS if one in everything] == []


def test_no_command_tells_one(daemon: subprocess.Popen[bytes], tmp_path: Path) -> None:
    until(lambda: "serving" in (tmp_path / "log").read_text(), "the daemon serves")
    said = ""
    for words in (["check-config"], ["status"], ["keys", "list"], ["wikis", "list"], ["outbox"], ["stats"]):
        command = [*PROGRAM, "--config", str(tmp_path / "config.toml"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        said += done.stdout + done.stderr
    assert "Traceback" not in said
    assert [one for one in SECRETS if one in said] == []

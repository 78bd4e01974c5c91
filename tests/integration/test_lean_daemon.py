"""What an ordinary daemon does not need (one wiki, SQLite, metrics, nothing over HTTP), it does not load."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import free_port
from tests.support.practice import configured, start_once
from tests.support.waiting import said

#: Each with what it is for, and some of its weight, in MB.
ELSEWHERE = {
    "pydantic": "reads the configuration, in a process of its own (25)",
    "pydantic_settings": "the same",
    "email_validator": "the same",
    "tree_sitter": "reads PHP",
    "alembic": "changes tables, which are in order (8)",
    "sqlalchemy.dialects.postgresql": "another database (3)",
    "psycopg": "the same",
    "pymysql": "the same",
    "aiohttp": "doors over HTTP, farms, nodes that only issue (7)",
    "jinja2": "the dashboard",
    "pygal": "the dashboard",
    "cryptography": "the dashboard's sessions, Amazon's signatures (7)",
    "rich.console": "tables on a terminal (5)",
    "pygments": "the same",
    "requests": "a wiki that is called",
    "mwclient": "the same",
    "pywikibot": "the same",
    "dns": "doctor",
    "multiprocessing": "replay",
}


def imports_of(folder: Path) -> set[str]:
    """What the real program has imported by the time that it serves, with the history in *folder*."""
    path = configured(folder)
    path.write_text(path.read_text() + f'[metrics]\nlisten = "127.0.0.1:{free_port()}"\n')
    program = "from sidecar.cli import main; main()"
    command = [sys.executable, "-X", "importtime", "-c", program, "--config", str(path), "run"]
    log = folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(command, stderr=errors)
    try:
        said(log.read_text, "serving")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return set(re.findall(r"\| +([\w.]+)$", log.read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("lean")
    start_once(folder)
    return imports_of(folder)


@pytest.mark.slow
def test_it_serves_with_what_it_needs(imported: set[str]) -> None:
    assert {"sidecar.services.intake", "sqlalchemy", "prometheus_client", "structlog"} <= imported


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_it_does_not_need_is_not_imported(name: str, imported: set[str]) -> None:
    assert name not in imported


@pytest.mark.slow
def test_the_first_start_makes_the_tables_and_does_not_keep_what_made_them(tmp_path: Path) -> None:
    imported = imports_of(tmp_path)
    assert "sqlalchemy" in imported
    assert "alembic" not in imported

"""replay by several processes: the same history and report, and nothing lost where it is broken off."""

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar.cli import main
from sidecar.recorded import names
from tests.support.practice import bounce, configured, load, start_once
from tests.support.waiting import until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MAILS = 120
TABLES = ("notice", "bounce", "action", "event", "tally", "account")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year: every recorded bounce, of few users, some twice, one without a date, one that is nothing."""
    folder = tmp_path_factory.mktemp("archive")
    config, chance, kinds = load(configured(folder).parent), random.Random(5), list(names())
    mails = folder / "mails"
    mails.mkdir()
    for number in range(MAILS):
        sent = START + chance.random() * 300 * DAY
        came, user = sent + chance.choice([0.01, 1, 6]) * DAY, chance.randrange(2, 6)
        raw = bounce(config, chance.choice(kinds), user, sent, came)
        (mails / f"{number:03}.eml").write_bytes(raw)
        if chance.random() < 0.1:
            (mails / f"{number:03}-again.eml").write_bytes(raw)
    (mails / "undated.eml").write_bytes(re.sub(rb"(?m)^Date: .*\n", b"", raw))
    (mails / "empty.eml").write_bytes(b"")
    (mails / "ordinary.eml").write_bytes(b"Date: Sun, 1 Mar 2026 12:00:00 +0000\n\nHello.\n")
    return mails


def command(folder: Path, *words: object) -> list[str]:
    program = "from sidecar.cli import main; main()"
    return [sys.executable, "-c", program, "--config", str(folder / "config.toml"), *map(str, words)]


def alone(folder: Path, *words: object) -> str:
    """What `replay` prints, here and by one process."""
    config = folder / "config.toml"
    ran = CliRunner().invoke(main, ["--config", str(config), *map(str, words), "--processes", "1"])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def together(folder: Path, *words: object) -> str:
    """The same by two others."""
    told = command(folder, *words, "--processes", 2)
    ran = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def house(folder: Path) -> Path:
    """With a history in which nothing is."""
    folder.mkdir()
    configured(folder)
    start_once(folder)
    return folder


def history(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that a replay writes but when that was."""
    with closing(sqlite3.connect(folder / "history.db")) as database:
        found = {}
        for table in TABLES:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            mine = [name for name in columns if name not in ("created", "due", "at", "slot", "updated")]
            found[table] = database.execute(f"SELECT {', '.join(mine)} FROM {table} ORDER BY 1, 2").fetchall()
    return found


@pytest.mark.parametrize("how", [[], ["--against", "bouncehandler", "--json"]], ids=str)
def test_the_report_is_the_same_by_one_process_and_by_two(
    archive: Path, tmp_path: Path, how: list[str]
) -> None:
    folder = house(tmp_path / "desk")
    report = alone(folder, "replay", archive, *how)
    assert "taken" in report
    assert together(folder, "replay", archive, *how) == report


def test_broken_off_and_said_again_it_makes_the_history_that_one_process_makes(
    archive: Path, tmp_path: Path
) -> None:
    whole, broken = house(tmp_path / "whole"), house(tmp_path / "broken")
    alone(whole, "replay", "--ingest", archive)
    kept = history(whole)
    assert len(kept["notice"]) == MAILS
    assert kept["action"]
    replaying = subprocess.Popen(
        command(broken, "replay", "--ingest", archive, "--processes", 2),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: history(broken)["notice"], "some mails in the history")
    os.killpg(replaying.pid, signal.SIGINT)  # as a terminal does: all of them hear it
    _, errors = replaying.communicate(timeout=60)
    assert (replaying.returncode, "say it again" in errors) == (75, True), errors
    assert "Traceback" not in errors
    assert len(history(broken)["notice"]) < MAILS
    together(broken, "replay", "--ingest", archive)
    assert history(broken) == kept

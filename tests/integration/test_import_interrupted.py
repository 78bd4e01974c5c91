"""import bouncehandler, killed half-way and done twice at once: every record is in the history once."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.fixtures_databases import ON_EACH
from tests.support.practice import configured, start_once
from tests.support.waiting import until

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
USERS, EACH = 200, 3


@pytest.fixture
def folder(tmp_path: Path, kind: str, url: str) -> Path:
    """A history on each kind of database, and an export to enter."""
    path = configured(tmp_path)
    path.write_text(path.read_text().replace(f"sqlite:///{tmp_path}/history.db", url))
    if kind == "sqlite":
        start_once(tmp_path)
    header = "br_id,br_user_email,br_timestamp,br_reason,user_id,user_email_authenticated\n"
    lines = (
        f"{user * EACH + mail},user{user}@remote.example,{sent:%Y%m%d%H%M%S},x,{user},20200101000000\n"
        for mail, sent in enumerate(NOW - days * DAY for days in range(5, 5 + EACH))
        for user in range(1, USERS + 1)
    )
    (tmp_path / "records.csv").write_text(header + "".join(lines))
    return tmp_path


def start(folder: Path) -> "subprocess.Popen[bytes]":
    program = Path(sys.executable).parent / "bounce-sidecar"
    words = [
        "--config",
        f"{folder}/config.toml",
        "import",
        "bouncehandler",
        "--json",
        f"{folder}/records.csv",
    ]
    return subprocess.Popen([str(program), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def entered(importing: "subprocess.Popen[bytes]") -> int:
    out, told = importing.communicate(timeout=120)
    assert importing.returncode == 0, told.decode()
    return int(json.loads(out)["fates"].get("entered", 0))


def booked(url: str) -> int:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        count = int(connection.exec_driver_sql("SELECT count(*) FROM bounce").scalar_one())
    engine.dispose()
    return count


@pytest.mark.parametrize("kind", ON_EACH, indirect=True)
def test_killed_half_way_the_next_one_enters_the_rest(folder: Path, url: str) -> None:
    importing = start(folder)
    until(lambda: booked(url) > 0, "the first records to be entered")
    importing.kill()
    importing.wait(60)
    before = booked(url)
    assert before < USERS * EACH, "killed half-way"
    assert entered(start(folder)) == USERS * EACH - before
    assert booked(url) == USERS * EACH


@pytest.mark.parametrize("kind", ON_EACH, indirect=True)
def test_two_at_once_enter_each_record_once(folder: Path, url: str) -> None:
    both = [start(folder), start(folder)]
    assert sum(map(entered, both)) == booked(url) == USERS * EACH

"""A wiki's database with BounceHandler's records, and what of it enters the history."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.support.bouncehandler_tables import Tables
from tests.support.desk import say
from tests.support.practice import ADDRESS, configured, start_once

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - 300 * DAY
GONE = "Returned mail: User unknown"


def started(folder: Path) -> Path:
    """A daemon's folder, whose history is made."""
    configured(folder)
    start_once(folder)
    return folder


def tables_of(folder: Path) -> Tables:
    """A wiki's database beside it, with one user."""
    tables = Tables(sa.create_engine(url(folder)))
    tables.make()
    tables.add_user(7, ADDRESS, LONG_AGO)
    return tables


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/wiki.sqlite"


def enter(folder: Path, *words: str, source: str = "") -> dict[str, Any]:
    result = say(folder, "import", "bouncehandler", "--json", source or url(folder), *words)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def held(folder: Path, user_id: int = 7) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(say(folder, "export", str(user_id)).stdout)["held"]
    return told

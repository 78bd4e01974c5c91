"""SQLite's tables, made or brought up to date by a process of its own, which ends with it.

With Alembic the daemon would weigh a fifth more for as long as it lives. Nothing depends on this: what was
not done here, ``Database.open`` does, and says what hinders it.
"""

import subprocess

import sqlalchemy as sa

from sidecar.processes.apart import command_for
from sidecar.storage import versions
from sidecar.storage.engines import Engines, Kind

__all__ = ["main", "upgrade_apart"]

PATIENCE = 3600.0  # seconds; a change of a large history takes minutes
BUSY_SECONDS = 5.0  # for which an operator's command may hold the lock


def upgrade_apart(url: str) -> None:
    """Blocks until the tables of SQLite's *url* are in order, or cannot be made so. Raises nothing."""
    if sa.make_url(url).get_backend_name() != Kind.SQLITE:
        return
    try:
        if not _settled(url):
            command = command_for(__name__, url)
            subprocess.run(command, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
    except (sa.exc.SQLAlchemyError, OSError, subprocess.TimeoutExpired):
        return


def main(url: str) -> None:
    """The other process. Raises what hinders it."""
    from sidecar.storage.upgrading import upgrade

    with _engines(url).writing.begin() as connection:
        upgrade(connection)


def _settled(url: str) -> bool:
    engines = _engines(url)
    try:
        with engines.reading.connect() as connection:
            return versions.settled(connection)
    finally:
        engines.dispose()


def _engines(url: str) -> Engines:
    return Engines.of(url, "", busy_seconds=BUSY_SECONDS, writers=1, readers=1)

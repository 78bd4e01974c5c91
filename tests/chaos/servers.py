"""The database servers of a campaign, each on a small disk of its own whose fsync can be made to fail.

Knows where they lie. Does not know houses.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import PATTERN
from tests.support.fresh_history import make_tables
from tests.support.mariadb_server import MariaDb
from tests.support.postgresql_server import PostgreSql
from tests.support.preloaded import Switch, library
from tests.support.small_disk import SmallDisk, small_disk

__all__ = ["SERVERS", "Installed", "Servers"]

SERVERS: dict[str, type[DatabaseServer] | None] = {
    "sqlite": None,
    "mariadb": MariaDb,
    "postgresql": PostgreSql,
}
DISK = 320  # MiB, in memory; a fresh MariaDB takes 130, and what is left is soon filled


@dataclass(frozen=True)
class Installed:
    """A server with all that it stands on."""

    server: DatabaseServer
    disk: SmallDisk
    no_fsync: Switch


class Servers:
    """Those that were asked for, each started when it is first wanted."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._life = folder, ExitStack()
        self._running: dict[str, Installed] = {}

    def get(self, name: str) -> Installed | None:
        kind = SERVERS[name]
        if kind and name not in self._running:
            self._running[name] = self._install(name, kind)
        return self._running.get(name)

    def stop(self) -> None:
        self._life.close()

    def _install(self, name: str, kind: type[DatabaseServer]) -> Installed:
        folder = self._folder / name
        folder.mkdir()
        no_fsync = Switch(self._folder / f"{name}.no-fsync")
        environment = {
            "LD_PRELOAD": str(library("no_fsync", self._folder)),
            "NO_FSYNC": str(no_fsync.file),
        }
        disk = self._life.enter_context(small_disk(folder, DISK))
        server = kind(folder, durable=True, environment=environment)
        self._life.callback(server.stop)
        make_tables(server.create(PATTERN))
        return Installed(server, disk, no_fsync)

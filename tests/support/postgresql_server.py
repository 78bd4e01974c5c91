"""A real PostgreSQL, unpacked from Debian's packages into a private folder.

Knows how its files are made, what runs it, and how a database is copied. Does not know our tables.
"""

import re
import subprocess
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from tests.support.database_server import DatabaseServer
from tests.support.debs import unpacked

__all__ = ["PostgreSql"]


class PostgreSql(DatabaseServer):
    """Debian's PostgreSQL. What was committed survives the end of the server, though not of the machine."""

    scheme = "postgresql+psycopg://nobody"
    _system = "postgres"
    _waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"

    @staticmethod
    @cache  # asking apt takes longer than starting the server
    def _binaries() -> Path:
        depends = subprocess.run(
            ["apt-cache", "depends", "postgresql"], capture_output=True, text=True, timeout=60
        )
        found = re.search(r"Depends: (postgresql-(\d+))", depends.stdout)
        package, version = (found[1], found[2]) if found else ("postgresql-15", "15")
        folder = f"usr/lib/postgresql/{version}"
        programs = [f"{folder}/bin/postgres", f"{folder}/bin/initdb"]
        client = f"postgresql-client-{version}"
        return unpacked("postgresql", [package, client], programs) / folder / "bin"

    def _initialise(self) -> None:
        data = str(self.folder / "data")
        self._run([
            str(self._binaries() / "initdb"), "-D", data, "-U", "nobody", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        ])  # fmt: skip

    def _command(self) -> list[str]:
        return [
            str(self._binaries() / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
            "-h", "127.0.0.1", "-k", str(self.folder), "-c", f"fsync={'on' if self._durable else 'off'}",
            "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "max_wal_size=128MB",
        ]  # fmt: skip

    def only_read(self, url: str) -> None:
        self._set_read_only(url, "on")

    def let_write(self, url: str) -> None:
        self._set_read_only(url, "off")

    def _set_read_only(self, url: str, how: str) -> None:
        database = str(sa.make_url(url).database)
        self.execute(
            f"ALTER DATABASE {database} SET default_transaction_read_only = {how}",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'",
        )

    def copy(self, pattern: str, database: str) -> str:
        self.execute(f"CREATE DATABASE {database} TEMPLATE {pattern}")
        return self.url(database)

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

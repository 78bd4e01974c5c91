"""Real database servers, unpacked from Debian's packages into a private folder, on a socket of their own.

Knows how MariaDB and PostgreSQL are made, started, killed and asked for an empty database. Does not know our
tables.
"""

import os
import re
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from tests.support.debs import unpacked
from tests.support.places import free_port
from tests.support.process_group import ProcessGroup
from tests.support.waiting import until

__all__ = ["DatabaseServer", "MariaDb", "PostgreSql"]

NOBODY = 65534  # PostgreSQL refuses to run as root
PATIENCE = 120.0  # seconds, for making the system tables


class DatabaseServer(ABC):
    """One server in *folder*, listening on loopback. Started when made; its data survive ``kill``.

    A *durable* one keeps what was committed without power, too, at the price of an fsync each. *environment*
    is more of what it runs in.
    """

    scheme: str  #: of SQLAlchemy's URL, up to the user

    def __init__(
        self, folder: Path, *, durable: bool = False, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.port = folder, free_port()
        self._durable, self._more = durable, dict(environment or {})
        folder.mkdir(parents=True, exist_ok=True)
        self._as_nobody: list[str] = []
        if os.getuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            self._as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self._initialise()
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        self._group = ProcessGroup(
            [*self._as_nobody, *self._command()], self.folder / "log", self._environment()
        )
        until(self._answers, f"answer of {type(self).__name__}; see {self.folder}/log")

    def revive(self) -> None:
        """Started again if it does not run. Returns when it answers: it may be recovering by itself."""

        def look() -> bool:
            if not self._group.running:
                self._group.end()  # what is left of it
                self.start()
            with suppress(RuntimeError):  # it ended just now
                return self._answers()
            return False

        until(look, f"answer of {type(self).__name__}; see {self.folder}/log")

    def kill(self) -> None:
        """At once, as if the power had failed for it alone."""
        self._group.send(signal.SIGKILL)
        self._group.end()

    def stop(self) -> None:
        """In an orderly way. Repeatable."""
        self._group.end()

    @property
    def pid(self) -> int:
        """Of what was started; its children do the work."""
        return self._group.pid

    def freeze(self) -> None:
        """It keeps its connections and answers nothing, until ``thaw``."""
        self._group.send_all(signal.SIGSTOP)

    def thaw(self) -> None:
        with suppress(ProcessLookupError):
            self._group.send_all(signal.SIGCONT)

    @abstractmethod
    def only_read(self, url: str) -> None:
        """As a standby does: whoever connects to *url* may write no more."""

    @abstractmethod
    def let_write(self, url: str) -> None:
        """As one does that took over."""

    def url(self, database: str) -> str:
        """For SQLAlchemy; no password is wanted."""
        return f"{self.scheme}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """An empty database; its URL."""
        self.execute(f"CREATE DATABASE {database}")
        return self.url(database)

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database}")

    def execute(self, *statements: str) -> None:
        """As the server's administrator, outside of transactions."""
        with self._administrator() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def waiting(self) -> int:
        """How many wait for a lock that somebody holds."""
        with self._administrator() as connection:
            return int(connection.exec_driver_sql(self._waiting).scalar_one())

    @abstractmethod
    def copy(self, pattern: str, database: str) -> str:
        """An empty database with the tables of *pattern*; its URL."""

    def _administrator(self) -> sa.Connection:
        engine = sa.create_engine(self.url(self._system), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        return engine.connect()

    def _answers(self) -> bool:
        if not self._group.running:
            raise RuntimeError(f"{type(self).__name__} ended: {(self.folder / 'log').read_text()[-2000:]}")
        with suppress(sa.exc.OperationalError):
            self._administrator().close()
            return True
        return False

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            [*self._as_nobody, *command], capture_output=True, text=True, timeout=PATIENCE, cwd=self.folder,
            env=os.environ | self._environment(),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout[-1000:]}{done.stderr[-2000:]}")

    def _environment(self) -> dict[str, str]:
        # Nobody may not write into everybody's /tmp everywhere.
        return {"TMPDIR": str(self.folder), **self._more}

    _system = ""
    _waiting = ""

    @abstractmethod
    def _initialise(self) -> None:
        """Make its files."""

    @abstractmethod
    def _command(self) -> list[str]:
        """What runs it."""


class MariaDb(DatabaseServer):
    """Debian's MariaDB. What was committed survives the end of the server, though not of the machine."""

    scheme = "mariadb+pymysql://sidecar"
    _system = "mysql"
    # Not innodb_trx, which shows a copy: InnoDB makes a new one only if nobody has looked for 0.1 s. Whoever
    # looks more often than that never sees the one who waits, until his patience has ended.
    _waiting = (
        "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status "
        "WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'"
    )

    @staticmethod
    def _prefix() -> Path:
        programs = ["usr/sbin/mariadbd", "usr/bin/my_print_defaults"]
        return unpacked("mariadb", ["mariadb-server-core", "mariadb-client-core"], programs)

    def client(self) -> str:
        """Where its program for people is."""
        return str(self._prefix() / "usr/bin/mariadb")

    def _options(self) -> list[str]:
        prefix = self._prefix()
        return [
            "--no-defaults", f"--basedir={prefix}/usr", f"--datadir={self.folder}/data",
            f"--tmpdir={self.folder}", f"--lc-messages-dir={prefix}/usr/share/mysql",
            f"--plugin-dir={prefix}/usr/lib/mysql/plugin",
        ]  # fmt: skip

    def _initialise(self) -> None:
        script = str(self._prefix() / "usr/bin/mariadb-install-db")
        how = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        self._copies: dict[str, str] = {}
        self._made: dict[str, dict[str, str]] = {}
        self._spare: list[str] = []
        self._run([script, *self._options()[:4], *how])
        self._is_new = True

    def start(self) -> None:
        super().start()
        if self._is_new:
            self.execute("CREATE USER sidecar@'%%'")  # no administrator: those may write whatever is said
        self._is_new = False

    def create(self, database: str) -> str:
        url = super().create(database)
        self.execute(f"GRANT ALL ON {database}.* TO sidecar@'%%'")
        return url

    def only_read(self, url: str) -> None:
        self.execute("SET GLOBAL read_only = 1")

    def let_write(self, url: str) -> None:
        self.execute("SET GLOBAL read_only = 0")

    def _administrator(self) -> sa.Connection:
        url = self.url(self._system).replace("sidecar@", "root@")
        return sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect()

    def _command(self) -> list[str]:
        return [
            str(self._prefix() / "usr/sbin/mariadbd"), *self._options(), f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--socket={self.folder}/sock", "--skip-name-resolve",
            f"--innodb-flush-log-at-trx-commit={1 if self._durable else 2}", "--innodb-buffer-pool-size=64M",
            "--skip-log-bin", *(() if self._durable else ("--innodb-flush-method=nosync", "--skip-sync-frm")),
        ]  # fmt: skip  # without fsync a database takes 1 s less

    def copy(self, pattern: str, database: str) -> str:
        """One that was given back and emptied, if there is any: making the files of a table takes longest."""
        if self._spare:
            return self.url(self._spare.pop())
        url = self.create(database)
        made = self._made.setdefault(pattern, self._tables(pattern))
        with self._administrator() as connection:
            connection.exec_driver_sql("SET foreign_key_checks = 0")
            connection.exec_driver_sql(f"USE {database}")
            for statement in made.values():
                connection.exec_driver_sql(statement.replace("%", "%%"))
            for name in ("alembic_version", "requirement"):
                connection.exec_driver_sql(f"INSERT INTO {name} SELECT * FROM {pattern}.{name}")
        self._copies[database] = pattern
        return url

    def drop(self, database: str) -> None:
        pattern = self._copies.get(database)
        if pattern is None or self._tables(database) != self._made[pattern]:
            super().drop(database)
            return
        with self._administrator() as connection:
            connection.exec_driver_sql("SET foreign_key_checks = 0")
            counted = (
                "SELECT table_name FROM information_schema.tables "
                f"WHERE table_schema = '{database}' AND auto_increment > 1"
            )
            again = list(connection.exec_driver_sql(counted).scalars())
            for name in self._made[pattern]:
                connection.exec_driver_sql(f"DELETE FROM {database}.{name}")
            for name in again:
                connection.exec_driver_sql(f"ALTER TABLE {database}.{name} AUTO_INCREMENT = 1")
            for name in ("alembic_version", "requirement"):
                connection.exec_driver_sql(f"INSERT INTO {database}.{name} SELECT * FROM {pattern}.{name}")
        self._spare.append(database)

    def _tables(self, database: str) -> dict[str, str]:
        """How each is made."""
        with self._administrator() as connection:
            connection.exec_driver_sql(f"USE {database}")
            names = list(connection.exec_driver_sql("SHOW TABLES").scalars())
            made = {name: connection.exec_driver_sql(f"SHOW CREATE TABLE {name}").one()[1] for name in names}
        return {name: re.sub(r" AUTO_INCREMENT=\d+", "", how) for name, how in made.items()}


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

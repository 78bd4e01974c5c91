"""A real MariaDB, unpacked from Debian's packages into a private folder.

Knows how its files are made, what runs it, and how a database is copied. Does not know our tables.
"""

import re
from pathlib import Path

import sqlalchemy as sa

from tests.support.database_server import DatabaseServer
from tests.support.debs import unpacked

__all__ = ["MariaDb"]


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

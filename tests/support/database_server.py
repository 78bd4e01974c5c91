"""A real database server in a private folder, on a port of its own.

Knows how one is started, killed and asked. Does not know which one it is, nor our tables.
"""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from tests.support.places import free_port
from tests.support.process_group import ProcessGroup
from tests.support.waiting import until

__all__ = ["DatabaseServer"]
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

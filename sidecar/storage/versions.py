"""Versions of the tables: which one is there, which are known, and whether this program can use it.

Knows which older program still works with newer tables. Does not know how tables are changed (upgrading.py),
nor any single table.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from sidecar.storage.engines import Kind
from sidecar.storage.schema import requirement
from sidecar.telemetry import Tellable

__all__ = [
    "Guard", "NoHistory", "NoSuchVersion", "SchemaTooOld", "SchemaUnknown", "Tell", "Version", "check",
    "find", "known", "newest", "settled", "touch", "whole",
]  # fmt: skip

Tell = Callable[[str], None]

LOOK = 5.0  # seconds between two looks of a running node whether the tables are still for it
FOLDERS = (Path(__file__).parent / "migrations" / "versions",)


class NoHistory(Tellable):
    """There is no database yet. The daemon makes an SQLite file at its first start; else `db upgrade`."""


class SchemaTooOld(Tellable):
    """The tables are older than this program. Run `bounce-sidecar db upgrade`; older nodes may go on."""


class SchemaUnknown(Tellable):
    """The tables are newer than this program. Install the newer one again, or restore an older copy."""


class NoSuchVersion(Tellable):
    """There is no such version of the tables to go back to."""


@dataclass(frozen=True)
class Version:
    """Where the tables are."""

    found: str  #: "" if there are none
    wanted: str  #: by this program
    oldest: str  #: programs that want less than this may not use the tables; "" if nobody has said so


def newest() -> str:
    """The version of the tables that this program was written for."""
    return max(known())


def find(connection: sa.Connection) -> Version:
    """Where the tables are. Raises nothing of its own."""
    look = sa.inspect(connection)
    has, oldest = "", ""
    if look.has_table("alembic_version"):
        has = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""
    if has and look.has_table(requirement.name):
        oldest = connection.execute(sa.select(requirement.c.oldest)).scalar() or ""
    return Version(has, newest(), oldest)


def check(connection: sa.Connection) -> None:
    """Raises NoHistory, SchemaTooOld or SchemaUnknown if this program cannot use these tables."""
    version = find(connection)
    if not version.found:
        raise NoHistory("there is no history yet: `bounce-sidecar db upgrade` makes it")
    if version.oldest <= version.wanted == version.found:
        return
    if version.found in known() and version.oldest <= version.wanted:
        raise SchemaTooOld(
            f"the database is at version {version.found}, this program wants {version.wanted}: "
            "`bounce-sidecar db upgrade`"
        )
    if not version.oldest or version.oldest > version.wanted:
        wants = f"; its tables are for {version.oldest} or newer" if version.oldest else ""
        raise SchemaUnknown(
            f"the database is at version {version.found}, and a newer bounce-sidecar has changed it{wants}; "
            f"this one knows {version.wanted} at most: install the newer one"
        )


class Guard:
    """Of a running program: looks now and then, in the transaction itself, whether the tables are still
    for it. Once they are not, every transaction is refused until they are again."""

    def __init__(self) -> None:
        self._next = 0.0

    def check(self, connection: sa.Connection) -> None:
        """Raises what ``check`` raises."""
        now = time.monotonic()
        if now >= self._next:
            check(connection)
            self._next = now + LOOK


def touch(connection: sa.Connection) -> None:
    """Write nothing new: a full disk, and a server that only reads, show at a write alone."""
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


def settled(connection: sa.Connection) -> bool:
    """Whether there is nothing to change: a change is one transaction here, and the last one was ours."""
    version = find(connection)
    return whole(connection) and version.found == version.wanted


def whole(connection: sa.Connection) -> bool:
    """Whether a change is one transaction: nobody sees a part of it, and whoever writes waits for it."""
    return Kind(connection.dialect.name) is Kind.SQLITE


def known() -> frozenset[str]:
    """Every version that this program has heard of."""
    return _in(FOLDERS)


@cache  # a package manager may put a newer program's files there while this one runs
def _in(folders: tuple[Path, ...]) -> frozenset[str]:
    """The files' names begin with their versions."""
    files = (file for folder in folders for file in folder.glob("[0-9]*_*.py"))
    return frozenset(file.stem.partition("_")[0] for file in files)

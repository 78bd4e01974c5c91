"""Versions of the tables: how they are made, brought up to date, and whether this program can use them.

Knows Alembic, and which older program still works with newer tables. Does not know any single table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from sidecar.storage.engines import Kind
from sidecar.storage.schema import requirement
from sidecar.telemetry import Tellable

__all__ = ["NoHistory", "SchemaTooOld", "SchemaUnknown", "check", "found", "newest", "touch", "upgrade"]

UPGRADING = "bounce-sidecar db upgrade"  # of two that begin at the same time, one waits
LOCK_NUMBER = 0x626F756E6365  # the same for PostgreSQL, which wants a number: "bounce"
LOCK_SECONDS = 3600


class NoHistory(Tellable):
    """There is no database yet. The daemon makes an SQLite file at its first start; else `db upgrade`."""


class SchemaTooOld(Tellable):
    """The tables are older than this program. Run `bounce-sidecar db upgrade`; older nodes may go on."""


class SchemaUnknown(Tellable):
    """The tables are newer than this program. Install the newer one again, or restore an older copy."""


def newest() -> str:
    """The version of the tables that this program was written for."""
    return str(_scripts().get_current_head())


def found(connection: sa.Connection) -> str | None:
    """The version that the tables have; None if there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def check(connection: sa.Connection) -> None:
    """Raises NoHistory, SchemaTooOld or SchemaUnknown if this program cannot use these tables."""
    has, wants = found(connection), newest()
    if has is None:
        raise NoHistory("there is no history yet: `bounce-sidecar db upgrade` makes it")
    if has == wants:
        return
    if has in {script.revision for script in _scripts().walk_revisions()}:
        raise SchemaTooOld(
            f"the database is at version {has}, this program wants {wants}: `bounce-sidecar db upgrade`"
        )
    oldest = connection.execute(sa.select(requirement.c.oldest)).scalar_one_or_none()
    if oldest is None or oldest > wants:
        raise SchemaUnknown(
            f"the database is at version {has}, made by a newer bounce-sidecar; "
            f"this one knows {wants} at most"
        )


def upgrade(connection: sa.Connection) -> None:
    """Make the tables, or bring them up to date. Raises SchemaUnknown if they are ahead of this program."""
    config = _migrations()
    config.attributes["connection"] = connection
    with _one_at_a_time(connection):
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SchemaUnknown(
                f"the database was made by another, newer version of bounce-sidecar ({error})"
            ) from None
        oldest = _scripts().get_revision(newest()).module.oldest
        connection.execute(requirement.update().values(oldest=oldest))


def touch(connection: sa.Connection) -> None:
    """Write nothing new: a full disk, and a server that only reads, show at a write alone."""
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


@contextmanager
def _one_at_a_time(connection: sa.Connection) -> Iterator[None]:
    """SQLite has one writer anyway. The lock of the others outlives transactions, and no connection."""
    kind = Kind(connection.dialect.name)
    take, leave = {
        Kind.SQLITE: (None, None),
        Kind.MARIADB: (
            sa.select(sa.func.get_lock(UPGRADING, LOCK_SECONDS)),
            sa.select(sa.func.release_lock(UPGRADING)),
        ),
        Kind.POSTGRESQL: (
            sa.select(sa.func.pg_advisory_lock(LOCK_NUMBER)),
            sa.select(sa.func.pg_advisory_unlock(LOCK_NUMBER)),
        ),
    }[kind]
    if take is not None:
        connection.execute(take)
    try:
        yield
    finally:
        if leave is not None:
            connection.execute(leave)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_migrations())


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config

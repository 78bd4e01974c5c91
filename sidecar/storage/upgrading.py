"""How the tables are made, brought up to date, and taken back.

Knows Alembic, which nobody else has to know: it is not imported where there is nothing to change. Does not
know any single table.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from sidecar.storage import versions
from sidecar.storage.engines import Kind
from sidecar.storage.schema import requirement
from sidecar.storage.versions import NoSuchVersion, Tell, Version, check, find, known, whole

__all__ = ["downgrade", "upgrade"]

UPGRADING = "bounce-sidecar db upgrade"  # of two that begin at the same time, one waits
LOCK_NUMBER = 0x626F756E6365  # the same for PostgreSQL, which wants a number: "bounce"
PAUSE = 0.5  # seconds between two looks whether the other one is done
NOTICED = 2 * versions.LOOK  # seconds after which every running node has looked, and ended what it had begun


def upgrade(connection: sa.Connection, tell: Tell = lambda words: None, *, dry: bool = False) -> None:
    """Make the tables, or bring them up to date. *dry*: only tell. Raises SchemaUnknown.

    On a server the connection commits by itself; what was broken off goes on when it is said again. Before
    older programs are shut out they get the time to notice.
    """
    with _one_at_a_time(connection, tell):
        version = find(connection)
        if version.found and version.found not in known():
            check(connection)
            tell(f"at version {version.found}, newer than this program, which may use it: nothing to do")
            return
        if version.found == version.wanted:
            tell(f"at version {version.found}: nothing to do")
        if dry:
            _only_tell(connection, version, tell)
            return
        oldest = _scripts(versions.FOLDERS).get_revision(version.wanted).module.oldest
        if version.oldest and version.oldest < oldest and not whole(connection):
            tell(f"programs of {version.oldest} may not go on; waiting until they have noticed")
            connection.execute(requirement.update().values(oldest=oldest))
            time.sleep(NOTICED)
        if version.found:
            _finish(connection, version.found, tell)
        command.upgrade(_migrations(connection, tell), "head")
        connection.execute(requirement.update().values(oldest=oldest))


def downgrade(connection: sa.Connection, to: str, tell: Tell = lambda words: None) -> None:
    """Go back to version *to*, or to "base": no tables. What only newer ones know is lost.

    Raises NoSuchVersion.
    """
    with _one_at_a_time(connection, tell):
        has = find(connection).found
        ways = {"base", *(revision for revision in known() if revision <= has)}
        if to not in ways or (has and has not in ways):
            raise NoSuchVersion(f"cannot go from version {has or 'base'} to {to}")
        for above in _scripts(versions.FOLDERS).get_revision(has).nextrev if has else ():
            _finish(connection, above, tell, back=True)
        command.downgrade(_migrations(connection, tell), to)
        if to == "base":
            connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
        elif oldest := getattr(_scripts(versions.FOLDERS).get_revision(to).module, "oldest", ""):
            connection.execute(requirement.update().values(oldest=oldest))


def _only_tell(connection: sa.Connection, version: Version, tell: Tell) -> None:
    """The steps look at the tables as they are: what one of them would make, the next does not see."""
    with _steps(connection, tell, dry=True):
        for script in reversed(
            list(_scripts(versions.FOLDERS).iterate_revisions("head", version.found or "base"))
        ):
            tell(f"version {script.revision}: {script.doc}")
            script.module.upgrade()


def _finish(connection: sa.Connection, revision: str, tell: Tell, *, back: bool = False) -> None:
    """A change the other way was broken off here: what is missing is made, or what is left over goes."""
    if whole(connection):
        return
    module = _scripts(versions.FOLDERS).get_revision(revision).module
    with _steps(connection, tell, again=True):
        module.downgrade() if back else module.upgrade()


@contextmanager
def _steps(connection: sa.Connection, tell: Tell, **how: bool) -> Iterator[None]:
    """Steps may be taken, which leave the version as it is."""
    context = MigrationContext.configure(connection, opts={"tell": tell, "render_as_batch": True, **how})
    with Operations.context(context):
        yield


@contextmanager
def _one_at_a_time(connection: sa.Connection, tell: Tell) -> Iterator[None]:
    """SQLite has one writer anyway. The lock of the others outlives transactions, and no connection.

    It is asked for again and again: PostgreSQL would count one that waits as somebody who is at work, for
    whom an index has to wait.
    """
    take, leave = {
        Kind.SQLITE: (sa.true(), sa.true()),
        Kind.MARIADB: (sa.func.get_lock(UPGRADING, 0), sa.func.release_lock(UPGRADING)),
        Kind.POSTGRESQL: (sa.func.pg_try_advisory_lock(LOCK_NUMBER), sa.func.pg_advisory_unlock(LOCK_NUMBER)),
    }[Kind(connection.dialect.name)]
    told = False
    while not connection.execute(sa.select(take)).scalar():
        if not told:
            tell("another `db upgrade` is at work; waiting for it")
        told = True
        time.sleep(PAUSE)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.execute(sa.select(leave))


@cache
def _scripts(folders: tuple[Path, ...]) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(folders))


def _config(folders: tuple[Path, ...]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folders[0].parent))
    for name in ("path_separator", "version_path_separator"):  # Alembic 1.16 has renamed it
        config.set_main_option(name, "os")
    config.set_main_option("version_locations", os.pathsep.join(map(str, folders)))
    return config


def _migrations(connection: sa.Connection, tell: Tell) -> Config:
    def applied(*, step: Any, **_: object) -> None:
        tell(f"at version {', '.join(step.destination_revision_ids) or 'base'}")

    config = _config(versions.FOLDERS)
    config.attributes.update(connection=connection, tell=tell, applied=applied)
    return config

"""db: the database's tables, brought up to date, looked at, taken back."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from sidecar import host
from sidecar.cli.common import as_json, configured, stop_with, troubles
from sidecar.cli.printing import cell, console, table_of
from sidecar.configuration.configured import Config
from sidecar.configuration.setting_kinds import DatabaseUrl
from sidecar.storage.condition import Condition, condition
from sidecar.storage.database import Database

__all__ = ["db"]

R = TypeVar("R")
Decorated = Callable[..., Any]

SKEW = 2.0  # seconds between two clocks that are worth a word: a lease lasts 30 seconds


@click.group()
def db() -> None:
    """The database: its tables, brought up to date, looked at, taken back."""


def _as_somebody(command: Decorated) -> Decorated:
    for option in (
        click.option("--password-file", type=click.Path(path_type=Path), help="With the password for --url."),
        click.option(
            "--url", help="The same database as a user who may change tables; [storage] url if not said."
        ),
    ):
        command = option(command)
    return command


@db.command()
@_as_somebody
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.pass_obj
def upgrade(path: Path, url: str | None, password_file: Path | None, dry_run: bool) -> None:
    """Make the tables, or bring them up to date.

    Says each step. Nodes of the version before may go on meanwhile. What was broken off goes on when it is
    said again. An SQLite file is brought up to date by the daemon's start, too.
    """
    config = _with(configured(path), url, password_file)

    async def work(database: Database) -> None:
        await database.upgrade(click.echo, dry=dry_run)

    _run(config, work)
    click.echo("nothing was changed" if dry_run else "done")


@db.command()
@_as_somebody
@click.argument("version")
@click.option("--yes", is_flag=True, help="Do it.")
@click.pass_obj
def downgrade(path: Path, url: str | None, password_file: Path | None, version: str, yes: bool) -> None:
    """Take the tables back to VERSION, as `0004`; `base` drops them all.

    What only newer versions know is lost. Stop the daemons of newer versions first.
    """
    config = _with(configured(path), url, password_file)
    if not yes:
        stop_with(2, f"{config.storage_url}: what is newer than {version} would be lost; --yes does it")

    async def work(database: Database) -> None:
        await database.downgrade(version, click.echo)

    _run(config, work)
    click.echo("done")


@db.command()
@_as_somebody
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def status(path: Path, url: str | None, password_file: Path | None, json_: bool) -> None:
    """How the database is, and whether this program can use it. Exit code 1 if it cannot."""
    config = _with(configured(path), url, password_file)

    async def work(database: Database) -> Condition:
        return await database.look(lambda connection: condition(connection, host.now), any_server=True)

    found = _run(config, work)
    if json_:
        as_json(found)
    else:
        _show(found, config.storage_url)
    if found.problems or found.only_reads:
        raise SystemExit(1)


def _show(found: Condition, url: str) -> None:
    version = found.version
    said = {
        "database": f"{url}: {found.kind} {found.server}",
        "tables": f"version {version.found or 'none'}; this program wants {version.wanted}"
        + (f"; programs of {version.oldest} or newer may use them" if version.oldest else ""),
        "writing": f"refused: {found.only_reads}" if found.only_reads else "allowed",
        "power cut": f"may lose what was promised: {found.durable}" if found.durable else "loses nothing",
        "clock": f"{found.ahead.total_seconds():+.1f} s from this host's"
        + (": mend it" if abs(found.ahead.total_seconds()) > SKEW else ""),
        "size": f"{found.octets / 2**20:,.1f} MiB",
    }
    for name, words in said.items():
        click.echo(f"{name + ':':<11}{words}")
    for problem in found.problems:
        click.echo(f"{'problem:':<11}{problem}")
    table = table_of("Tables", "table", "rows", "MiB", folds=())
    for one in found.tables:
        size = "" if one.octets is None else f"{one.octets / 2**20:,.1f}"
        table.add_row(cell(one.name), f"{one.rows:,}", size)
    console.print(table)


def _with(config: Config, url: str | None, password_file: Path | None) -> Config:
    """As another user of the database."""
    if url is None:
        if password_file:
            stop_with(2, "--password-file goes with --url")
        return config
    try:
        TypeAdapter(DatabaseUrl).validate_python(url)
    except ValidationError as error:
        stop_with(2, f"--url: {error.errors()[0]['msg'].removeprefix('Value error, ')}")
    try:
        password = password_file.read_text().strip() if password_file else ""
    except OSError as error:
        stop_with(2, f"--password-file {password_file}: {error.strerror}")
    return replace(config, storage_url=url, storage_password=password)


def _run(config: Config, work: Callable[[Database], Coroutine[Any, Any, R]]) -> R:
    """On the database as it is: there may be no tables, or others."""

    async def run() -> R:
        database = host.database_of(config)
        try:
            return await work(database)
        finally:
            await database.close()

    with troubles(config):
        return asyncio.run(run())

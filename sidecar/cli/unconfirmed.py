"""unconfirmed: the list of those whom we un-confirmed, from one installation to another."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click
import sqlalchemy as sa

from sidecar import host
from sidecar.cli.common import ask, configured, one_wiki, stop_with
from sidecar.domain import unconfirmed as listing
from sidecar.domain.unconfirmed import Unconfirmed
from sidecar.storage import moving
from sidecar.storage.database import Database

__all__ = ["unconfirmed"]

EVER = datetime(2000, 1, 1, tzinfo=UTC)
BATCH = 50  # entries a transaction: bounces of the same users wait meanwhile, on SQLite all of them
PAUSE = 0.1  # seconds between two: SQLite's waiters look no more often, and the daemon's are to get in
ENTERED, KNOWN, OLD = "entered", "known already", "older than keep_audit_days and left out"


@click.group()
def unconfirmed() -> None:
    """Those whom we un-confirmed: the list moves to another installation, where `undo` and `why` know it."""


@unconfirmed.command("export")
@click.option("--wiki", help="Only this wiki; all of them if left out.")
@click.option("--json", "json_", is_flag=True, help="As JSON instead of CSV.")
@click.pass_obj
def export_(path: Path, wiki: str | None, json_: bool) -> None:
    """Print whom we un-confirmed, and not confirmed again: when, why, and what it takes to undo it.

    No mail address is in it.
    """
    config = configured(path)
    only = one_wiki(config, wiki) if wiki else ""

    async def work(database: Database) -> list[Unconfirmed]:
        return await database.read(lambda connection: moving.leaving(connection, EVER, only))

    entries = ask(config, work)
    click.echo(listing.as_json(entries) if json_ else listing.as_csv(entries), nl=False)


@unconfirmed.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--keep-going", is_flag=True, help="Enter the good lines although there are bad ones.")
@click.option("--dry-run", is_flag=True, help="Change nothing, only say what would be done.")
@click.pass_obj
def import_(path: Path, file: TextIO, keep_going: bool, dry_run: bool) -> None:
    """Enter a list that `unconfirmed export` printed, as if we had done it.

    Repeatable. Nothing is asked of the wikis: where the address is confirmed by now, it stays so. What is
    wrong is told, line by line; then nothing is entered (exit code 2), or with --keep-going the rest (1).
    """
    config, now = configured(path), host.now()
    try:
        text = file.read()
    except UnicodeDecodeError:
        stop_with(2, f"{file.name}: not UTF-8")
    found = listing.read(text, [wiki.id for wiki in config.wikis], now)
    for problem in found.problems:
        click.echo(f"{file.name}: {problem}", err=True)
    if found.problems and not keep_going:
        stop_with(2, "nothing was entered")
    oldest = now - config.keep_audit

    def enter(connection: sa.Connection, entry: Unconfirmed) -> str:
        if entry.unconfirmed_at < oldest:  # it would be dropped within the hour
            return OLD
        new = not moving.is_there(connection, entry) if dry_run else moving.adopt(connection, entry, now)
        return ENTERED if new else KNOWN

    async def work(database: Database) -> list[str]:
        became: list[str] = []
        for start in range(0, len(found.good), BATCH):
            batch = found.good[start : start + BATCH]
            doing = database.read if dry_run else database.write
            became += await doing(lambda c, batch=batch: [enter(c, entry) for entry in batch])  # type: ignore[misc]
            await asyncio.sleep(PAUSE)
        return became

    counted = Counter(ask(config, work))
    told = ", ".join(f"{counted[what]} {what}" for what in (ENTERED, KNOWN, OLD) if counted[what])
    click.echo(f"{'would be: ' if dry_run else ''}{told or 'the list is empty'}")
    if found.problems:
        raise SystemExit(1)

"""aside: mail that nobody understood, until a person or a new rule has looked at it."""

import asyncio
import sys
from pathlib import Path

import click
from rich.table import Table

from sidecar import daemon
from sidecar.cli.common import as_json, ask, configured, day, stop_with, troubles
from sidecar.cli.printing import cell, console, table_of
from sidecar.domain.harmless import harmless
from sidecar.services.intake import Reread
from sidecar.services.receipt import Receipt
from sidecar.storage import aside, ledger
from sidecar.storage.aside import Aside
from sidecar.storage.database import Database

__all__ = ["aside_command"]

IDS = click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(min=1))
JSON = click.option("--json", "json_", is_flag=True, help="As JSON.")


@click.group()
def aside_command() -> None:
    """Mail that nobody understood: kept whole, never counted, until somebody has looked.

    A bounce that no rule matched, a mail that is neither a bounce nor an automatic answer, one that could not
    be read, and one for a wiki that is not configured. After keep_aside_days they are dropped.
    """


aside_command.name = "aside"


@aside_command.command("list")
@JSON
@click.pass_obj
def list_(path: Path, json_: bool) -> None:
    """What waits for a person, oldest first."""

    async def work(database: Database) -> list[Aside]:
        return await database.read(aside.entries)

    entries = ask(configured(path), work)
    if json_:
        as_json(entries)
    elif entries:
        console.print(_table(entries))
    else:
        click.echo("nothing is set aside")


@aside_command.command()
@click.argument("notice_id", metavar="ID", type=click.IntRange(min=1))
@click.option("--raw", is_flag=True, help="The mail as it came, every byte; not for a terminal.")
@click.pass_obj
def show(path: Path, notice_id: int, raw: bool) -> None:
    """Print a mail that is set aside, and why it is; exit code 1 if there is none with this ID.

    Whatever could do something to a terminal is spelled out.
    """

    async def work(database: Database) -> tuple[list[Aside], ledger.Notice | None]:
        return await database.read(
            lambda connection: (aside.entries(connection, [notice_id]), aside.mail(connection, notice_id))
        )

    entries, mail = ask(configured(path), work)
    if not entries or mail is None:
        stop_with(1, f"not set aside: {notice_id}")
    if raw:
        sys.stdout.buffer.write(mail.raw)
        return
    [entry] = entries
    click.echo(f"set aside {day(entry.received)} UTC: {harmless(entry.why)}")
    click.echo(f"came to {harmless(entry.return_path)}\n")
    text = mail.raw.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    click.echo(harmless(text, lines=True))


@aside_command.command()
@IDS
@JSON
@click.pass_obj
def reread(path: Path, ids: tuple[int, ...], json_: bool) -> None:
    """Judge again what is set aside (all of it without ID), with the rules and the wikis of now.

    What is understood now is booked as if it had come then, and may lead to an action; the rest stays. Exit
    code 1 if an ID is not set aside.
    """
    config = configured(path)

    async def work() -> dict[int, Reread | None]:
        async with daemon.intake_for(config) as (intake, database):
            chosen = ids or [entry.id for entry in await database.read(aside.entries)]
            return {notice_id: await intake.reread(notice_id) for notice_id in chosen}

    with troubles(config):
        results = asyncio.run(work())
    if json_:
        as_json(results)
    else:
        for notice_id, result in results.items():
            click.echo(f"{notice_id}: {_said(result)}")
        understood = sum(
            result is not None and result.receipt is Receipt.TAKEN for result in results.values()
        )
        click.echo(f"{understood} of {len(results)} understood now")
    if None in results.values():
        raise SystemExit(1)


@aside_command.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=click.IntRange(min=1))
@click.pass_obj
def drop(path: Path, ids: tuple[int, ...]) -> None:
    """Let mails go that nobody needs to understand. What was booked of them stays, and never counts.

    Exit code 1 if one of them is not set aside.
    """

    async def work(database: Database) -> list[bool]:
        return await database.write(lambda connection: [aside.drop(connection, id_) for id_ in ids])

    absent = [str(id_) for id_, done in zip(ids, ask(configured(path), work), strict=True) if not done]
    if absent:
        stop_with(1, f"not set aside: {', '.join(absent)}")


def _said(result: Reread | None) -> str:
    if result is None:
        return "not set aside"
    if result.receipt is Receipt.SET_ASIDE:
        return f"stays: {harmless(result.why)}"
    if not result.category:
        return "understood, and no bounce"
    decision = "hard" if result.hard else "soft"
    owed = f"; action {result.action_id} is owed" if result.action_id else ""
    return f"{result.category}, {decision}, by rule {result.rule}{owed}"


def _table(entries: list[Aside]) -> Table:
    table = table_of("Set aside", "id", "came", "why", "kind", "domain", folds=["why", "domain"])
    for entry in entries:
        facts = (entry.id, day(entry.received), entry.why, entry.kind, entry.domain)
        table.add_row(*map(cell, facts))
    return table

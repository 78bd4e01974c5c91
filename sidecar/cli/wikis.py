"""wikis: which wikis there are, where they come from, and which of them are left alone."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import EX_TEMPFAIL, NO_WIKI, as_json, configured, opened, stop_with, troubles
from sidecar.cli.printing import cell, console, table_of
from sidecar.configuration.configured import Config, FarmConfig
from sidecar.domain.census import Census
from sidecar.edges.sitematrix_look import look_at, shelf_at
from sidecar.services.census import CensusTaker, NotTaken
from sidecar.services.circuit import FORGOTTEN, row_of
from sidecar.storage import circuits
from sidecar.storage.circuits import Standing
from sidecar.storage.database import NoHistory

__all__ = ["wikis"]


@dataclass(frozen=True)
class Line:
    """A wiki, as it is told."""

    id: str
    api: str
    mode: str
    source: str  #: "configured" or "sitematrix"
    trouble: str = ""  #: what it, or its login, suffers from
    until: datetime | None = None  #: left alone until then


@click.group()
def wikis() -> None:
    """The wikis that are known: those under [[wikis]], and those that the farm's sitematrix lists."""


@wikis.command("list")
@click.option("--trouble", is_flag=True, help="Only those that are in trouble.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(path: Path, trouble: bool, json_: bool) -> None:
    """Each wiki, with its mode, where it comes from, and what is wrong with it.

    Trouble is what the daemon has met when it called the wiki: a wiki to which nothing is owed has none,
    and what is older than twelve hours is not told.
    """
    config = configured(path)
    standing = _standing(config)
    lines = [line for line in _lines(config, standing) if line.trouble or not trouble]
    if json_:
        as_json(lines)
        return
    table = table_of("Wikis", "id", "mode", "from", "api", "trouble", folds=["api", "trouble"])
    for line in lines:
        table.add_row(*map(cell, (line.id, line.mode, line.source, line.api, _trouble(line))))
    if lines:
        console.print(table)
    else:
        click.echo("no wiki is in trouble" if config.wikis else NO_WIKI)
    for note in config.farm.notes if config.farm else ():
        console.print(cell(f"left out: {note}"))


@wikis.command()
@click.option("--believe", is_flag=True, help="Take it even if many wikis are gone at once.")
@click.pass_obj
def refresh(path: Path, believe: bool) -> None:
    """Ask the farm's sitematrix now, and remember what it lists.

    A running daemon does so by itself; it takes over what this has found with `systemctl reload
    bounce-sidecar`. Exit code 75 if the sitematrix cannot be had or is not believed: what was known holds.
    """
    config = configured(path)
    if config.farm is None:
        stop_with(1, f"{path}: there is no [farm]")
    before = {wiki.id for wiki in config.wikis}
    try:
        census = asyncio.run(_look(config, config.farm, believe))
    except NotTaken as error:
        stop_with(EX_TEMPFAIL, str(error))
    config = configured(path)
    after = {wiki.id for wiki in config.wikis}
    click.echo(f"{len(census.present)} wikis are listed; {len(after)} are known")
    for sign, names in (("+", after - before), ("-", before - after)):
        for name in sorted(names):
            click.echo(f"{sign} {name}")
    for note in config.farm.notes if config.farm else ():
        click.echo(cell(f"left out: {note}").plain)


async def _look(config: Config, farm: FarmConfig, believe: bool) -> Census:
    look = look_at(farm.sitematrix, config.contact, config.verp.accept, farm.refresh)
    taker = CensusTaker(look, shelf_at(farm.cache), host.now)
    try:
        return await taker.round(believe=believe)
    finally:
        taker.close()


def _standing(config: Config) -> dict[str, Standing]:
    """Who is in trouble, as far as there is a history."""

    async def look() -> dict[str, Standing]:
        try:
            async with opened(config) as database:
                return await database.read(lambda c: circuits.standing(c, host.now() - FORGOTTEN))
        except NoHistory:
            return {}

    with troubles(config):
        return asyncio.run(look())


def _lines(config: Config, standing: dict[str, Standing]) -> list[Line]:
    listed = config.farm.wikis if config.farm else frozenset()
    lines = []
    for wiki in config.wikis:
        row = row_of(standing, wiki.id, wiki.login)
        source = "sitematrix" if wiki.id in listed else "configured"
        mode = str(config.policies[wiki.id].mode)
        trouble = (row.why, row.until) if row else ("", None)
        lines.append(Line(wiki.id, wiki.api, mode, source, *trouble))
    return lines


def _trouble(line: Line) -> str:
    return f"{line.trouble} (until {line.until:%H:%M:%S})" if line.until else line.trouble

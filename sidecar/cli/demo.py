"""demo: the main job, seen to work."""

import asyncio

import click
from rich.table import Table

from sidecar import demo as stage
from sidecar.cli.common import as_json, stop_with
from sidecar.cli.printing import cell, console, table_of
from sidecar.journal import configure_logging

__all__ = ["demo"]


@click.command()
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def demo(json_: bool) -> None:
    """Play ten days of mail against a practice wiki, with nothing set up; takes some seconds.

    Starts the real sidecar on SQLite in a temporary folder, asks its socket for return paths, and hands it
    recorded bounces by LMTP. Exit code 1 if somebody's fate is not the expected one.
    """
    configure_logging("error", "console")  # forged mail and the like is part of the play
    fates = asyncio.run(stage.play(lambda line: None if json_ else click.echo(f"* {line}")))
    wrong = [fate.name for fate in fates if fate.found != fate.expected]
    if json_:
        as_json(fates)
    else:
        console.print(_table(fates))
        lost = sum(fate.found == "un-confirmed" for fate in fates)
        click.echo(f"{lost} dead addresses un-confirmed, {len(fates) - lost} living ones untouched.")
    if wrong:
        stop_with(1, f"not as expected: {', '.join(wrong)}")


def _table(fates: list[stage.Fate]) -> Table:
    columns = ("user", "story", "mails", "came back", "on the wiki", "why")
    table = table_of("Ten days of a small wiki", *columns, folds=["story", "why"])
    for fate in fates:
        style = "red" if fate.found == "un-confirmed" else "green"
        mark = "" if fate.found == fate.expected else f" (expected: {fate.expected})"
        table.add_row(
            fate.name, fate.story, str(fate.mails), str(fate.came_back),
            f"[{style}]{fate.found}[/]{mark}", cell(fate.why),
        )  # fmt: skip
    return table

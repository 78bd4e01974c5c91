"""scenario: stories with an expected end, played in a moment."""

import asyncio
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from sidecar.cli.common import EX_CONFIG, as_json, stop_with
from sidecar.cli.printing import cell, console, table_of
from sidecar.domain.harmless import harmless
from sidecar.journal import configure_logging
from sidecar.scenario.outcome import Outcome, outcome
from sidecar.scenario.reading import ScenarioError, read_scenario
from sidecar.scenario.script import Scenario

__all__ = ["scenario"]


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def scenario(paths: tuple[Path, ...], json_: bool) -> None:
    """Play stories of mails, bounces and time, and compare what came of them with what was expected.

    Nothing is set up and nothing is touched: the real sidecar works on a database in memory, for a practice
    wiki, by a clock of its own. docs/scenarios.md tells how to write one. Exit code 1 if a story ends
    otherwise, 2 if there is no such file, 78 if one cannot be played.
    """
    configure_logging("critical", "console")  # brakes that trip and the like are part of the story
    stories = _read(paths)
    ends = [asyncio.run(outcome(story)) for story in stories]
    if json_:
        as_json(
            [{"file": str(path), "ok": end.ok, **vars(end)} for path, end in zip(paths, ends, strict=True)]
        )
    else:
        for path, end in zip(paths, ends, strict=True):
            _show(path, end)
    if wrong := [str(path) for path, end in zip(paths, ends, strict=True) if not end.ok]:
        stop_with(1, f"not as expected: {', '.join(wrong)}")


def _read(paths: tuple[Path, ...]) -> list[Scenario]:
    """All of them; ends the program with all that is wrong with any."""
    stories, problems = [], []
    for path in paths:
        try:
            stories.append(read_scenario(path.read_text("utf-8")))
        except ScenarioError as error:
            problems += [f"{path}: {problem}" for problem in error.problems]
        except UnicodeDecodeError:
            problems.append(f"{path}: not UTF-8")
        except OSError as error:
            stop_with(2, f"{path}: {error.strerror or error}")
    if problems:
        stop_with(EX_CONFIG, "\n".join(map(harmless, problems)))
    return stories


def _show(path: Path, end: Outcome) -> None:
    console.print(_table(end))
    for name, lines in end.why.items():
        click.echo(f"{path}: why {name}:")
        for line in lines:
            click.echo(f"  {harmless(line)}")


def _table(end: Outcome) -> Table:
    table = table_of(
        escape(harmless(end.title)), "", "who", "what", "expected", "found", folds=["expected", "found"]
    )
    for check in end.checks:
        mark = "[green]ok[/]" if check.ok else "[red]no[/]"
        words = (check.whom, check.what, check.expected, check.found)
        table.add_row(mark, *map(cell, words))
    return table

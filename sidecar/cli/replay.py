"""replay: archived mail, each at its own time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click
from rich.progress import Progress

from sidecar import replaying
from sidecar.cli import whatif
from sidecar.cli.common import EX_TEMPFAIL, as_json, configured, stop_with, troubles
from sidecar.cli.history import actions_table
from sidecar.cli.printing import console
from sidecar.domain.harmless import harmless
from sidecar.edges import archive
from sidecar.processes.crew import HandLost
from sidecar.processes.ties import cores
from sidecar.services.replay import Archived, Replayed

__all__ = ["replay"]

BROKEN_OFF = "broken off; what was entered stays and counts once: say it again, and the rest is entered"


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--ingest", is_flag=True, help="Enter the mail into the history, and owe the wikis what follows."
)
@click.option(
    "--against",
    metavar="PRESET_OR_FILE",
    help="Compare with another policy: the name of a preset, or a TOML file with a [policy].",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=cores,
    help="How many read and judge; the result is the same.  [default: one for each core]",
)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def replay(
    path: Path, paths: tuple[Path, ...], ingest: bool, against: str | None, processes: int, json_: bool
) -> None:
    """Judge archived mail again, and print who would be un-confirmed and why.

    PATH is a mail, a Maildir, an mbox, or a folder of such. Each mail's own date is the clock. Its
    envelope recipient is looked for in Delivered-To, X-Original-To, Envelope-To and To, and proven by its
    signature. Nothing is written unless --ingest says so; what is in the history already counts once.

    With --against, prints whom the configured policy and the other one would warn and un-confirm, and the
    difference; warnings count as given, and no brake holds.
    """
    config = configured(path)
    if against is not None:
        if ingest:
            raise click.UsageError("--against only compares: it enters nothing")
        whatif.show(config, _mails(paths), against, json_=json_, processes=processes)
        return
    with troubles(config), Progress(console=console, transient=True, disable=json_) as progress:
        task = progress.add_task("replaying", total=None)
        try:
            result = asyncio.run(
                replaying.replay(
                    config,
                    _mails(paths),
                    ingest=ingest,
                    progress=lambda done, total: progress.update(task, completed=done, total=total),
                    processes=processes,
                )
            )
        except archive.NotAnArchive as error:
            stop_with(2, str(error))
        except HandLost as error:
            stop_with(EX_TEMPFAIL, str(error))
        except KeyboardInterrupt:
            stop_with(EX_TEMPFAIL, BROKEN_OFF)
    if json_:
        as_json({**vars(result), "ingested": ingest})
    else:
        _show(result, ingest)


def _mails(paths: tuple[Path, ...]) -> Iterator[Archived]:
    for path in paths:
        yield from archive.find(path)


def _show(result: Replayed, ingest: bool) -> None:
    for receipt, count in result.receipts.most_common():
        click.echo(f"{count:6} {receipt}")
    for name in result.undated:
        click.echo(f"left out, it has no date: {harmless(name)}")
    for name in result.unreadable:
        click.echo(f"left out, it cannot be read: {harmless(name)}")
    if result.actions:
        title = "Owed now" if ingest else "Would be un-confirmed"
        console.print(actions_table(result.actions, title))
    else:
        click.echo("nobody would be un-confirmed" if not ingest else "nothing new is owed")

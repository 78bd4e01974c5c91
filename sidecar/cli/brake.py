"""brake: what holds actions back, and how it is let go."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa

from sidecar import host
from sidecar.cli.common import as_json, ask, configured, day, stop_with
from sidecar.cli.printing import cell, console, table_of
from sidecar.storage import brakes
from sidecar.storage.brakes import Brake, BrakeState
from sidecar.storage.database import Database

__all__ = ["brake"]

ROW = click.IntRange(1, 2**63 - 1)  # what a database can number


@click.group()
def brake() -> None:
    """What holds actions back: too many users failed at once, or an operator pulled it.

    Bounces are taken and recorded all the same.
    """


@brake.command("list")
@click.option("--all", "all_", is_flag=True, help="Those that were let go, too.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(path: Path, all_: bool, json_: bool) -> None:
    """The brakes that hold actions now."""
    states = () if all_ else (BrakeState.TRIPPED,)

    async def work(database: Database) -> list[Brake]:
        return await database.read(lambda connection: brakes.brakes(connection, *states))

    found = ask(configured(path), work)
    if json_:
        as_json(found)
    elif found:
        table = table_of("Brakes", "id", "whose", "tripped", "state", "actions", "why", folds=["why"])
        for one in found:
            facts = (one.id, brakes.whose(one.provider, one.wiki), day(one.tripped), one.state, one.actions)
            table.add_row(*map(cell, (*facts, one.why)))
        console.print(table)
    else:
        click.echo("no brake holds anything")


@brake.command()
@click.option(
    "--provider", default="", help="Only users of this provider, as `brake list` and `why` name it."
)
@click.option("--wiki", default="", help="Only users of this wiki.")
@click.option(
    "--why", "why_", default="by an operator", show_default=True, help="For those who come after you."
)
@click.pass_obj
def pull(path: Path, provider: str, wiki: str, why_: str) -> None:
    """Hold everything that waits and that will be decided: the kill switch. Nothing is restarted.

    Bounces are taken, judged and recorded as before. Exit code 1 if that brake holds already.
    """
    config, now = configured(path), host.now()
    if wiki and wiki not in config.policies:
        stop_with(2, f"--wiki must be one of: {', '.join(config.policies)}")

    async def work(database: Database) -> int | None:
        return await database.write(
            lambda connection: brakes.trip(connection, provider, wiki, why_, now, since=now, hold_from=None)
        )

    brake_id = ask(config, work)
    if brake_id is None:
        stop_with(1, "that brake holds already; see `brake list`")
    click.echo(f"brake {brake_id} holds {brakes.whose(provider, wiki)}; `brake release {brake_id}` lets go")


@brake.command()
@click.argument("brake_id", metavar="ID", type=ROW)
@click.pass_obj
def release(path: Path, brake_id: int) -> None:
    """Let go: what it holds is carried out, if the policy still wants it then.

    Exit code 1 if that brake does not hold.
    """
    freed = _let_go(path, brake_id, brakes.release)
    click.echo(f"{freed} action{'' if freed == 1 else 's'} will be carried out if still wanted")


@brake.command()
@click.argument("brake_id", metavar="ID", type=ROW)
@click.pass_obj
def discard(path: Path, brake_id: int) -> None:
    """Give up what it holds: the failures of that incident were not the users' own and never count.

    Exit code 1 if that brake does not hold.
    """
    given_up = _let_go(path, brake_id, brakes.discard)
    click.echo(
        f"{given_up} action{'' if given_up == 1 else 's'} given up; the incident's bounces are pardoned"
    )


def _let_go(path: Path, brake_id: int, how: Callable[[sa.Connection, int, datetime], int | None]) -> int:
    """How many actions the brake held; ends the program if it does not hold."""
    now = host.now()

    async def work(database: Database) -> int | None:
        return await database.write(lambda connection: how(connection, brake_id, now))

    count = ask(configured(path), work)
    if count is None:
        stop_with(1, f"brake {brake_id} does not hold")
    return count

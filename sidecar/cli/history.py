"""history and outbox: what happened to a user, and what we owe the wikis."""

from pathlib import Path

import click
from rich.table import Table

from sidecar import daemon
from sidecar.cli.common import as_json, ask, configured, console, day, stop_with
from sidecar.config import Config
from sidecar.storage import ledger, outbox
from sidecar.storage.database import Database
from sidecar.storage.outbox import State

__all__ = ["history", "outbox_command"]


@click.command()
@click.argument("user_id", metavar="USER", type=click.IntRange(min=1))
@click.option("--wiki", help="The wiki's id; may be left out if only one is configured.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def history(path: Path, user_id: int, wiki: str | None, json_: bool) -> None:
    """Everything that is known of a user: bounces, actions, and each step of them.

    USER is the number of the user in the wiki's database. Exit code 1 if nothing is known.
    """
    config = configured(path)
    wiki = _wiki(config, wiki)

    async def work(database: Database) -> dict[str, list[object]]:
        return await database.read(
            lambda connection: {
                "bounces": [*ledger.of_user(connection, wiki, user_id)],
                "actions": [*outbox.entries(connection, wiki=wiki, user_id=user_id)],
                "events": [*outbox.events_of_user(connection, wiki, user_id)],
            }
        )

    known = ask(config, work)
    if json_:
        as_json(known)
    elif known["bounces"]:
        _show(known, f"user {user_id} of {wiki}")
    if not known["bounces"]:
        stop_with(1, f"nothing is known of user {user_id} of {wiki}")


@click.group(invoke_without_command=True)
@click.option("--all", "all_", is_flag=True, help="Settled actions too.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_context
def outbox_command(context: click.Context, all_: bool, json_: bool) -> None:
    """What we owe the wikis: actions that wait, and those a wiki refused for good."""
    if context.invoked_subcommand:
        return
    states = () if all_ else (State.WAITING, State.DEAD)

    async def work(database: Database) -> list[outbox.Entry]:
        return await database.read(lambda connection: outbox.entries(connection, *states))

    entries = ask(configured(context.obj), work)
    if json_:
        as_json(entries)
    elif entries:
        console.print(actions_table(entries, "Outbox"))
    else:
        click.echo("nothing is owed")


@outbox_command.command()
@click.argument("action_ids", metavar="ID...", nargs=-1, required=True, type=int)
@click.pass_obj
def retry(path: Path, action_ids: tuple[int, ...]) -> None:
    """Make waiting or dead actions due now. Exit code 1 if one of them cannot be."""
    now = daemon.now()

    async def work(database: Database) -> list[bool]:
        return [
            await database.write(lambda connection, id_=id_: outbox.retry(connection, id_, now))  # type: ignore[misc]
            for id_ in action_ids
        ]

    refused = [id_ for id_, done in zip(action_ids, ask(configured(path), work), strict=True) if not done]
    if refused:
        stop_with(
            1, f"not waiting or dead, or another action waits for that user: {', '.join(map(str, refused))}"
        )


outbox_command.name = "outbox"


def actions_table(entries: list[outbox.Entry], title: str) -> Table:
    """Actions as operators read them."""
    table = Table("id", "wiki", "user", "state", "decided", "due", "tries", "why", "answer", title=title)
    for entry in entries:
        due = day(entry.due) if entry.state == State.WAITING else ""
        answer = entry.effect or entry.error
        table.add_row(
            str(entry.id), entry.wiki, str(entry.user_id), entry.state, day(entry.created), due,
            str(entry.attempts), entry.reason, answer,
        )  # fmt: skip
    return table


def _show(known: dict[str, list[object]], title: str) -> None:
    table = Table(
        "sent", "received", "category", "counts", "status", "rule", "domain", title=f"Bounces of {title}"
    )
    for bounce in known["bounces"]:
        if isinstance(bounce, ledger.Bounce):
            table.add_row(
                day(bounce.sent), day(bounce.received), bounce.category, "hard" if bounce.hard else "no",
                bounce.status, bounce.rule, bounce.domain,
            )  # fmt: skip
    console.print(table)
    actions = [entry for entry in known["actions"] if isinstance(entry, outbox.Entry)]
    if actions:
        console.print(actions_table(actions, "Actions"))
    for event in known["events"]:
        if isinstance(event, outbox.Event):
            console.print(
                f"{day(event.at)}  action {event.action_id}  {event.what}: {event.detail}", markup=False
            )


def _wiki(config: Config, wiki: str | None) -> str:
    known = [entry.id for entry in config.wikis]
    if wiki is None and len(known) == 1:
        return known[0]
    if wiki not in known:
        stop_with(2, f"--wiki must be one of: {', '.join(known)}")
    return wiki

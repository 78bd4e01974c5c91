"""history and outbox: what happened to a user, and what we owe the wikis."""

from pathlib import Path

import click
from rich.table import Table

from sidecar import host
from sidecar.cli.common import as_json, ask, configured, day, one_wiki, stop_with
from sidecar.cli.printing import cell, console, table_of
from sidecar.storage import actions, ledger, outbox
from sidecar.storage.actions import State
from sidecar.storage.database import Database

__all__ = ["history", "outbox_command"]


LAST = "why, and what came of it"
ROW = click.IntRange(1, 2**63 - 1)  # what a database can number


@click.command()
@click.argument("user_id", metavar="USER", type=ROW)
@click.option("--wiki", help="The wiki's id; may be left out if only one is configured.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def history(path: Path, user_id: int, wiki: str | None, json_: bool) -> None:
    """Everything that is known of a user: bounces, actions, and each step of them.

    USER is the number of the user in the wiki's database. Exit code 1 if nothing is known.
    """
    config = configured(path)
    wiki = one_wiki(config, wiki)

    async def work(database: Database) -> dict[str, list[object]]:
        return await database.read(
            lambda connection: {
                "bounces": [*ledger.of_user(connection, wiki, user_id)],
                "actions": [*actions.entries(connection, wiki=wiki, user_id=user_id)],
                "events": [*actions.events_of_user(connection, wiki, user_id)],
            }
        )

    known = ask(config, work)
    if json_:
        as_json(known)
    elif any(known.values()):
        _show(known, f"user {user_id} of {wiki}")
    if not any(known.values()):
        stop_with(1, f"nothing is known of user {user_id} of {wiki}")


@click.group(invoke_without_command=True)
@click.option("--all", "all_", is_flag=True, help="Settled actions too.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_context
def outbox_command(context: click.Context, all_: bool, json_: bool) -> None:
    """What we owe the wikis: actions that wait or are held, and those a wiki refused for good."""
    if context.invoked_subcommand:
        return
    states = () if all_ else (State.WAITING, State.HELD, State.DEAD)

    async def work(database: Database) -> list[actions.Entry]:
        return await database.read(lambda connection: actions.entries(connection, *states))

    entries = ask(configured(context.obj), work)
    if json_:
        as_json(entries)
    elif entries:
        console.print(actions_table(entries, "Outbox"))
    else:
        click.echo("nothing is owed")


@outbox_command.command()
@click.argument("action_ids", metavar="ID...", nargs=-1, required=True, type=ROW)
@click.pass_obj
def retry(path: Path, action_ids: tuple[int, ...]) -> None:
    """Make waiting or dead actions due now. Exit code 1 if one of them cannot be.

    One that is being tried right now falls due when that try ends.
    """
    now = host.now()

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


def actions_table(entries: list[actions.Entry], title: str) -> Table:
    """Actions as operators read them, also on 80 columns."""
    table = table_of(title, "id", "wiki", "user", "what", "state", "decided", LAST, folds=[LAST])
    for entry in entries:
        facts = (
            entry.id,
            entry.wiki,
            entry.user_id,
            entry.kind,
            entry.state,
            day(entry.created),
            _came_of(entry),
        )
        table.add_row(*map(cell, facts))
    return table


def _came_of(entry: actions.Entry) -> str:
    if entry.effect:
        return f"{entry.reason}; the wiki: {entry.effect}"
    if entry.state == State.WAITING and entry.attempts:
        return f"{entry.reason}; tried {entry.attempts} times, again at {day(entry.due)}: {entry.error}"
    return f"{entry.reason}; {entry.error}" if entry.error else entry.reason


def _bounces(known: dict[str, list[object]], title: str) -> Table:
    columns = ("id", "sent", "category", "counts", "status", "rule", "domain")
    table = table_of(f"Bounces of {title}", *columns, folds=["rule", "domain"])
    for bounce in known["bounces"]:
        if isinstance(bounce, ledger.Numbered):
            counts = "hard" if bounce.hard and not bounce.confirming else "no"
            facts = (bounce.category, counts, bounce.status, bounce.rule, bounce.domain)
            table.add_row(cell(bounce.id), day(bounce.sent), *map(cell, facts))
    return table


def _show(known: dict[str, list[object]], title: str) -> None:
    if known["bounces"]:
        console.print(_bounces(known, title))
    decided = [entry for entry in known["actions"] if isinstance(entry, actions.Entry)]
    if decided:
        console.print(actions_table(decided, "Actions"))
    for event in known["events"]:
        if isinstance(event, actions.Event):
            about = f"  action {event.action_id}" if event.action_id else ""
            console.print(cell(f"{day(event.at)}{about}  {event.what}: {event.detail}"))

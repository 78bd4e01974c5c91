"""undo: take back what was done by mistake, a whole incident at once."""

from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa

from sidecar import host
from sidecar.cli.common import TIME, as_json, ask, configured, day, in_utc, one_wiki
from sidecar.cli.printing import cell, console, table_of
from sidecar.services.undo import undo as undo_these
from sidecar.storage.database import Database
from sidecar.storage.undoing import Undoable, beyond_undoing, undoable

__all__ = ["undo"]


@click.command()
@click.option(
    "--since", type=TIME, required=True, help="Un-confirmed then or later, as 2026-11-20T14:30 (UTC)."
)
@click.option("--provider", default="", help="Only users of this provider, as `brake list` names it.")
@click.option("--wiki", default="", help="Only users of this wiki.")
@click.option(
    "--user", "user_id", type=click.IntRange(1, 2**63 - 1), default=None, help="Only this user of the wiki."
)
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would be done.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def undo(
    path: Path, since: datetime, provider: str, wiki: str, user_id: int | None, yes: bool, json_: bool
) -> None:
    """Confirm addresses again that we un-confirmed, if nobody has touched them since.

    Each wiki compares: an address that was changed or confirmed meanwhile is left as it is. Brakes do not
    hold this. What caused the mistake may cause it again: mend that first.
    """
    config, now = configured(path), host.now()
    if wiki or user_id:  # the numbers of users are each wiki's own
        wiki = one_wiki(config, wiki or None)

    async def work(database: Database) -> tuple[list[Undoable], list[int], list[int]]:
        def look(connection: sa.Connection) -> tuple[list[Undoable], list[int]]:
            start, user = in_utc(since), user_id or 0
            found = undoable(connection, start, wiki=wiki, provider=provider, user_id=user)
            return found, beyond_undoing(connection, start, wiki=wiki, provider=provider, user_id=user)

        found, lost = await database.read(look)
        return found, lost, (await database.write(lambda c: undo_these(c, found, now)) if yes else [])

    found, lost, owed = ask(config, work)
    if json_:
        as_json({"found": found, "actions": owed, "submitted": lost})
        return
    _show(found)
    click.echo(_summary(found, owed, yes))
    if lost:
        click.echo(f"{len(lost)} more went through BounceHandler and cannot be taken back: `outbox --all`")


def _show(found: list[Undoable]) -> None:
    columns = ("id", "wiki", "user", "provider", "when", "undone")
    table = table_of("Un-confirmed by us", *columns, folds=["provider"])
    for one in found:
        undone = "yes" if one.undone else ""
        facts = (one.id, one.wiki, one.user_id, one.provider, day(one.settled), undone)
        table.add_row(*map(cell, facts))
    if found:
        console.print(table)


def _summary(found: list[Undoable], owed: list[int], yes: bool) -> str:
    left = sum(not one.undone for one in found)
    if not found:
        return "nothing to undo"
    if not yes:
        return f"{left} would be confirmed again; --yes does it"
    others = f"; {left - len(owed)} have another action waiting" if left > len(owed) else ""
    return f"{len(owed)} will be confirmed again{others}; `outbox --all` tells what the wikis answer"

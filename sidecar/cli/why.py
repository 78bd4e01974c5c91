"""why: the whole story of a user, to paste into an answer."""

from datetime import datetime
from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import TIME, as_json, ask, configured, in_utc, one_wiki, stop_with
from sidecar.domain.harmless import harmless
from sidecar.services.review import Review, review
from sidecar.storage.database import Database

__all__ = ["why"]

ROW = click.IntRange(1, 2**63 - 1)  # what a database can number


@click.command()
@click.argument("user_id", metavar="USER", type=ROW)
@click.option("--wiki", help="The wiki's id; may be left out if only one is configured.")
@click.option("--at", type=TIME, help="As it was known then, as 2026-11-20 or 2026-11-20T14:30 (UTC).")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def why(path: Path, user_id: int, wiki: str | None, at: datetime | None, json_: bool) -> None:
    """Why a user was warned or un-confirmed, or was not: every mail, what it meant, and what followed.

    USER is the number of the user in the wiki's database. The answer holds no mail address. Exit code 1 if
    nothing is known.
    """
    config = configured(path)
    wiki = one_wiki(config, wiki)
    when = in_utc(at) if at else host.now()

    async def work(database: Database) -> Review | None:
        return await database.read(
            lambda connection: review(connection, wiki, user_id, config.policies, when)
        )

    found = ask(config, work)
    if found is None:
        stop_with(1, f"nothing is known of user {user_id} of {wiki}")
    if json_:
        as_json(found)
    else:
        click.echo(told(found))


def told(found: Review) -> str:
    """The review as plain text, a line a fact: no colours, no tables, fit for a ticket."""
    head = f"User {found.user_id} of {found.wiki}, as of {found.at:%Y-%m-%d %H:%M} UTC"
    others = ", ".join(str(one) for one in found.accounts)
    person = [f"One person: {others}; decided at {found.lead}"] if len(found.accounts) > 1 else []
    rows = map(str, found.lines)
    tail = [f"Policy now: {found.policy} ({found.mode} mode)", f"It stands so: {found.outlook}"]
    return "\n".join(harmless(line) for line in [head, *person, *rows, *tail])

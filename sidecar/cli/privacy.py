"""export and forget: what a user may ask of whoever runs this."""

from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import EX_TEMPFAIL, as_json, ask, configured, one_wiki, stop_with
from sidecar.configuration.configured import Config
from sidecar.domain.person import Account
from sidecar.services import privacy
from sidecar.services.privacy import Export, Forgotten
from sidecar.storage.belongings import InHand
from sidecar.storage.database import Database

__all__ = ["export", "forget"]

USER = click.argument("user_id", metavar="USER", type=click.IntRange(1, 2**63 - 1))
#: What deleting a row does not reach, and how to.
KEPT_BY_SERVERS = {
    "mariadb": "the server may keep traces: its binary log, and those of replicas, until they expire (PURGE "
    "BINARY LOGS); free pages of its files until OPTIMIZE TABLE notice, bounce, action, event, send",
    "postgresql": "the server may keep traces: its write-ahead log and archive, and those of standbys, until "
    "they are recycled; dead rows in its files until VACUUM FULL notice, bounce, action, event, send",
}
WIKI = click.option("--wiki", help="The wiki's id, also of one that is configured no more.")


@click.command()
@USER
@WIKI
@click.option("--mail", is_flag=True, help="The raw mail too, in base64: it names addresses.")
@click.pass_obj
def export(path: Path, user_id: int, wiki: str | None, mail: bool) -> None:
    """Print everything that is held of a user, as JSON.

    USER is the number of the user in the wiki's database. Exit code 1 if nothing is held.
    """
    config, now = configured(path), host.now()
    wiki = _wiki(config, wiki)

    async def work(database: Database) -> Export | None:
        return await privacy.export(database, config.verp, wiki, user_id, now, mail=mail)

    found = ask(config, work)
    if found is None:
        stop_with(1, f"nothing is held of user {user_id} of {wiki}")
    as_json(found)


@click.command()
@USER
@WIKI
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would be erased.")
@click.pass_obj
def forget(path: Path, user_id: int, wiki: str | None, yes: bool) -> None:
    """Erase everything that is held of a user, what is owed to the wiki for them included.

    USER is the number of the user in the wiki's database. The audit keeps that somebody was forgotten, not
    who. SQLite's file is written anew: bounces wait in the mail server's queue for as long. This reaches no
    backup and no log, neither ours, nor the mail server's, nor the wiki's, nor what a database server keeps
    besides: its logs, replicas and free pages. Accounts of the same person on other wikis are named, and
    erased each by itself. Exit code 1 if nothing is held, 75 if it has to be said again.
    """
    config, now = configured(path), host.now()
    wiki = _wiki(config, wiki)

    async def work(database: Database) -> tuple[Forgotten | dict[str, int], list[Account]]:
        others = await privacy.siblings(database, config.verp, wiki, user_id)
        if yes:
            return await privacy.forget(database, config.verp, wiki, user_id, now), others
        return await privacy.held(database, config.verp, wiki, user_id), others

    try:
        done, others = ask(config, work)
    except InHand as error:
        stop_with(EX_TEMPFAIL, str(error))
    rows = done.rows if isinstance(done, Forgotten) else done
    what = ", ".join(f"{name} {number}" for name, number in rows.items() if number)
    if isinstance(done, Forgotten) and done.left:
        click.echo(f"erased of user {user_id} of {wiki}: {what or 'nothing more'}")
        stop_with(EX_TEMPFAIL, f"traces may be left in the file ({done.left}): say the same again")
    if not what:
        stop_with(1, f"nothing is held of user {user_id} of {wiki}")
    if isinstance(done, Forgotten):
        click.echo(f"erased of user {user_id} of {wiki}: {what}")
        if told := KEPT_BY_SERVERS.get(config.storage_url.partition("+")[0]):
            click.echo(told, err=True)
    else:
        click.echo(f"held of user {user_id} of {wiki}: {what}; --yes erases it")
    if others:
        click.echo(f"other accounts of the same person: {', '.join(map(str, others))}")


def _wiki(config: Config, wiki: str | None) -> str:
    return wiki if wiki else one_wiki(config, None)

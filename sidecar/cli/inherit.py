"""import: what another program, or another installation, knows becomes part of our history."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from sidecar import config_files, host
from sidecar.cli.common import as_json, ask, configured, one_wiki, rule_troubles, stop_with
from sidecar.cli.printing import cell, console, table_of
from sidecar.configuration.configured import Config, SecretError
from sidecar.domain.bounce_records import Bad, NotReadable, Owner, Row, rows
from sidecar.domain.inherited import Fate
from sidecar.edges import rule_files
from sidecar.services.inheriting import Heir, Inheritance
from sidecar.storage.database import Database
from sidecar.storage.mediawiki import BadUrl, MediaWikiDatabase, NoRecords

__all__ = ["import_command"]

SHOWN = 20  # records that are named of each kind; --json names all


@dataclass(frozen=True)
class Sources:
    """Where the records are, and whose addresses they may be."""

    records: list[Row | Bad]
    owners: Mapping[str, Sequence[Owner]]


@click.group("import")
def import_command() -> None:
    """Take over what another program knows."""


@import_command.command()
@click.argument("source", metavar="URL|FILE")
@click.option(
    "--wiki",
    "wikis",
    metavar="ID[=URL]",
    multiple=True,
    help="Whose users they are, and that wiki's own database if the records lie in a shared one; repeatable.",
)
@click.option("--password-file", help="File with the password of the account in the URLs.")
@click.option("--prefix", default=None, help="The wiki's $wgDBprefix; by the wiki's id if left out.")
@click.option("--dry-run", is_flag=True, help="Change nothing, only say what would be done.")
@click.option("--json", "json_", is_flag=True, help="As JSON, with every record that is left out.")
@click.pass_obj
def bouncehandler(
    path: Path,
    source: str,
    wikis: tuple[str, ...],
    password_file: str | None,
    prefix: str | None,
    dry_run: bool,
    json_: bool,
) -> None:
    """Enter BounceHandler's table bounce_records into the history.

    From a database, as mysql://user@host/wiki (MariaDB, MySQL, PostgreSQL or SQLite), or from an export of
    the table as CSV or JSON, - for standard input, that says for each record the user_id, the wiki (unless
    there is one), and user_email_authenticated. Repeatable: what is there already is not entered twice.
    Nothing is decided by it; the policy is asked when the next mail of a user comes back. No address is
    stored or printed. Exit code 1 if there is no record at all.
    """
    config, now = configured(path), host.now()
    with rule_troubles():
        rules = rule_files.load(config.rules_directory)
    try:
        found = _sources(config, path, source, wikis, password_file, prefix)
    except (NotReadable, BadUrl, NoRecords, OSError) as error:
        stop_with(2, str(error))
    heir = Heir(config.verp, rules, config.policies, config.keep_bounces)

    async def work(database: Database) -> Inheritance:
        return await heir.inherit(database, found.records, found.owners, now, dry_run=dry_run)

    became = ask(config, work)
    if json_:
        as_json(became)
    else:
        _show(became, dry_run)
    if not became.records:
        stop_with(1, "there is no record")


def _sources(
    config: Config,
    path: Path,
    source: str,
    wikis: tuple[str, ...],
    password_file: str | None,
    prefix: str | None,
) -> Sources:
    """Raises NotReadable, BadUrl, NoRecords or OSError."""
    password = _password(path, password_file) if password_file else ""
    in_export = not wikis and "://" not in source
    named = dict(name.partition("=")[::2] for name in wikis)
    if not named:
        named = {wiki.id: "" for wiki in config.wikis} if in_export else {one_wiki(config, None): ""}
    for wiki in named:
        one_wiki(config, wiki)
    urls = {wiki: url or (source if "://" in source else "") for wiki, url in named.items()}
    with ExitStack() as stack:

        def opened(wiki: str, url: str) -> MediaWikiDatabase:
            own = _prefix(wiki, url) if prefix is None else prefix
            return stack.enter_context(closing(MediaWikiDatabase(url, password, own)))

        if "://" in source:
            records = opened(next(iter(named)), source).records()
        else:
            records = list(rows(_text(source)))
        if not any(urls.values()):
            return Sources(*_by_the_export(records, next(iter(named)) if len(named) == 1 else ""))
        if not all(urls.values()):
            raise BadUrl("--wiki ID=URL for every wiki, or for none")
        addresses = {row.address for row in records if isinstance(row, Row)}
        asked = [opened(wiki, url).owners(wiki, addresses) for wiki, url in urls.items()]
        return Sources(records, _together(asked))


def _password(path: Path, name: str) -> str:
    try:
        return config_files.secret_reader(path.parent, None)(str(Path(name).absolute())).decode().strip()
    except (SecretError, UnicodeDecodeError) as error:
        raise BadUrl(f"--password-file {name}: {error}") from None


def _by_the_export(
    records: Sequence[Row | Bad], only: str
) -> tuple[list[Row | Bad], Mapping[str, Sequence[Owner]]]:
    """Whose the addresses are if the export itself says it. Raises NotReadable."""
    if not any(isinstance(row, Row) and row.owner for row in records) and records:
        raise NotReadable(
            "no row of it says whose the address is: want a column user_id (see docs/migrating.md), or "
            "--wiki ID=URL with the wiki's database"
        )
    owners: dict[str, dict[Owner, None]] = defaultdict(dict)
    for row in records:
        if isinstance(row, Row) and row.owner:
            owners[row.address][replace(row.owner, wiki=row.owner.wiki or only)] = None
    return list(records), {address: list(whose) for address, whose in owners.items()}


def _together(asked: Sequence[Mapping[str, Sequence[Owner]]]) -> Mapping[str, Sequence[Owner]]:
    together: dict[str, list[Owner]] = defaultdict(list)
    for one in asked:
        for address, whose in one.items():
            together[address] += whose
    return together


def _prefix(wiki: str, url: str) -> str:
    """$wgDBprefix, which is a part of the wiki's id: "database-prefix"."""
    database = urlsplit(url).path.lstrip("/")
    return wiki.removeprefix(f"{database}-") if wiki.startswith(f"{database}-") else ""


def _text(source: str) -> str:
    with click.open_file(source, "rb") as file:
        octets: bytes = file.read()
    return octets.decode("utf-8", "surrogateescape")


def _show(became: Inheritance, dry_run: bool) -> None:
    table = table_of("BounceHandler's records", "", "records", "which", folds=["which"])
    for fate, number in became.fates.items():
        words = "would be entered" if dry_run and fate is Fate.ENTERED else str(fate)
        table.add_row(*map(cell, (words, number, _which(became, fate))))
    console.print(table)
    entered = became.fates.get(Fate.ENTERED, 0)
    click.echo(
        f"{'would enter' if dry_run else 'entered'} {entered} of {became.records}, of {became.users} users; "
        f"{became.hard} are hard, and nothing is decided before the next mail of a user comes back"
    )


def _which(became: Inheritance, fate: Fate) -> str:
    these = [str(one.record) for one in became.left_out if one.why is fate]
    more = f" and {len(these) - SHOWN} more" if len(these) > SHOWN else ""
    return ", ".join(these[:SHOWN]) + more

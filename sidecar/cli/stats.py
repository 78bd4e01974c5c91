"""stats: what came back and what was done, as a table, a file for a spreadsheet, JSON or a picture."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import as_json, ask, configured, in_utc, one_wiki, stop_with
from sidecar.cli.sheet import COLUMNS, as_csv, as_table, limited
from sidecar.domain.harmless import harmless
from sidecar.edges.charts import FILE, LIST, bars
from sidecar.services.statistics import By, Statistics, statistics
from sidecar.storage.database import Database

__all__ = ["stats"]

DAY = timedelta(days=1)
DAYS = 30  # that are told of if nothing else is asked for, today among them
DATE = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option(
    "--since",
    type=DATE,
    metavar="DAY",
    help="The first day, as 2026-11-01 (UTC); 30 days in all if left out.",
)
@click.option("--until", type=DATE, metavar="DAY", help="The last day; today if left out.")
@click.option(
    "--by", type=click.Choice(list(map(str, By))), default="day", show_default=True, help="What the rows are."
)
@click.option("--wiki", help="Only this wiki; all of them if left out.")
@click.option("--limit", type=click.IntRange(1), help="At most so many rows; the others in one.")
@click.option("--csv", "csv_", is_flag=True, help="For a spreadsheet.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.option("--svg", metavar="FILE", help="As a picture, into FILE; `-` is standard output.")
@click.pass_obj
def stats(
    path: Path,
    since: datetime | None,
    until: datetime | None,
    by: str,
    wiki: str | None,
    limit: int | None,
    csv_: bool,
    json_: bool,
    svg: str | None,
) -> None:
    """What came back, and what was done, of each day, provider, category or wiki.

    Days are UTC's, and today is counted up to now. Numbers are kept longer than the bounces that they
    count.
    """
    if csv_ + json_ + bool(svg) > 1:
        stop_with(2, "--csv, --json and --svg: one of them")
    if wiki and by == By.PROVIDER:
        stop_with(2, "failures are counted by provider for all wikis together: leave --wiki out")
    config, today = configured(path), host.now().date()
    last = in_utc(until).date() if until else today
    first = in_utc(since).date() if since else last - (DAYS - 1) * DAY
    if first > last:
        stop_with(2, "--since is later than --until")
    chosen = one_wiki(config, wiki) if wiki else ""

    async def work(database: Database) -> Statistics:
        return await database.read(lambda c: statistics(c, By(by), first, last, chosen))

    found = limited(ask(config, work), limit)
    if csv_:
        click.echo(as_csv(found).encode(), nl=False)
    elif json_:
        as_json(_plain(found))
    elif svg:
        _draw(found, svg)
    else:
        click.echo("\n".join(map(harmless, _told(found, chosen))))


def _told(found: Statistics, wiki: str) -> Iterator[str]:
    of = f" of {wiki}" if wiki else ""
    yield f"Bounces{of} by {found.by}, {found.since} to {found.until} (UTC)"
    yield from _missing(found)
    if not found.rows:
        yield "No bounce and no action is known of that time."
        return
    yield ""
    yield from as_table(found)
    yield from _shadow(found)


def _missing(found: Statistics) -> Iterator[str]:
    if found.kept_since and found.kept_since > found.since:
        yield f"Nothing is known of the time before {found.kept_since}."


def _shadow(found: Statistics) -> Iterator[str]:
    total = found.total
    if total.would_unconfirm or total.would_warn:
        yield ""
        yield (
            f"Shadow mode would have un-confirmed {total.would_unconfirm} and warned {total.would_warn};"
            " `shadow report` says whom."
        )
    if total.submitted:
        yield f"Gate mode handed {total.submitted} to BounceHandler."


def _plain(found: Statistics) -> dict[str, object]:
    def numbers(row: object) -> dict[str, object]:
        return {name: getattr(row, name) for name in COLUMNS[found.by]}

    return {
        "by": found.by,
        "since": str(found.since),
        "until": str(found.until),
        "kept_since": str(found.kept_since) if found.kept_since else None,
        "rows": [{found.by: key, **numbers(row)} for key, row in found.rows.items()],
        "total": numbers(found.total),
    }


def _draw(found: Statistics, svg: str) -> None:
    total, span = found.total, f"{found.since} to {found.until}"
    text = bars(
        f"Bounces by {found.by}, {span}",
        f"{total.hard} hard and {total.soft} soft bounces, {span}, by {found.by}.",
        list(found.rows),
        {
            "hard": [row.hard for row in found.rows.values()],
            "soft": [row.soft for row in found.rows.values()],
        },
        FILE if found.by is By.DAY else LIST,
    )
    if svg == "-":
        click.echo(text.encode(), nl=False)
        return
    try:
        Path(svg).write_text(text, "utf-8")
    except OSError as error:
        stop_with(2, f"{svg}: {error.strerror}")

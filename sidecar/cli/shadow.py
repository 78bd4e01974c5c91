"""shadow: what would have been done, to decide whether to enforce."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

import click
import sqlalchemy as sa

from sidecar import host
from sidecar.cli.common import NAMED, TIME, as_json, ask, configured, in_modes, in_utc, one_wiki, stop_with
from sidecar.domain.bounce_records import NotReadable
from sidecar.domain.bouncehandler import BounceHandlerRule, Listed, Record, read
from sidecar.domain.harmless import harmless
from sidecar.services.agreement import Agreement, agreement
from sidecar.services.shadow import ShadowReport, Would, shadow_report
from sidecar.storage.actions import Kind
from sidecar.storage.database import Database

__all__ = ["shadow"]

EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Both:
    """The report, and who agrees if there was a file."""

    report: ShadowReport
    agreement: Agreement | None


@click.group()
def shadow() -> None:
    """Shadow mode: what would have been done."""


@shadow.command()
@click.option("--since", type=TIME, help="Decided then or later, as 2026-11-20; all of it if left out (UTC).")
@click.option("--wiki", help="Only this wiki; all of them if left out.")
@click.option(
    "--bouncehandler",
    "file",
    type=click.File(encoding="utf-8", errors="surrogateescape"),
    help="BounceHandler's bounce_records as CSV or JSON, or a list of its un-confirmed users.",
)
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Its BounceRecordLimit.")
@click.option(
    "--period-days", type=float, default=7, show_default=True, help="Its BounceRecordPeriod, in days."
)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def report(
    path: Path,
    since: datetime | None,
    wiki: str | None,
    file: TextIO | None,
    limit: int,
    period_days: float,
    json_: bool,
) -> None:
    """Who would have been warned and un-confirmed, and what speaks against enforcing.

    With --bouncehandler, also who agrees with BounceHandler. The file may be an export of bounce_records
    (br_user_email, br_timestamp), or hold a line a user: `user id`, `user id,wiki` or a mail address.
    Addresses are compared with our keyed tags; none is stored or printed.
    """
    config, now = configured(path), host.now()
    policies = {one_wiki(config, wiki): config.policies[wiki]} if wiki else config.policies
    theirs, start = _theirs(file), in_utc(since) if since else EVER
    rule = BounceHandlerRule(limit, timedelta(days=period_days))

    def look(connection: sa.Connection) -> Both:
        told = shadow_report(connection, policies, config.brake, start, now)
        if theirs is None:
            return Both(told, None)
        return Both(told, agreement(connection, theirs, rule, config.verp, policies, told.since, now))

    async def work(database: Database) -> Both:
        return await database.read(look)

    both = ask(config, work)
    if json_:
        as_json(both)
    else:
        click.echo("\n".join(map(harmless, _told(both))))


def _theirs(file: TextIO | None) -> list[Record] | list[Listed] | None:
    if file is None:
        return None
    try:
        return read(file.read())
    except NotReadable as error:
        stop_with(2, f"{file.name}: {error}")


def _told(both: Both) -> Iterator[str]:
    report, came = both.report, both.report.came
    ends, warnings, mistyped = (
        [one for one in report.would if one.what.kind == kind]
        for kind in (Kind.UNCONFIRM, Kind.WARN, Kind.MISTYPED)
    )
    yield f"Shadow report, {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC"
    yield _wikis(report.modes)
    yield f"Came back: {came.hard + came.soft} mails of {came.users} users"
    yield f"  hard: {came.hard} of {came.users_hard} users; the others never count"
    yield f"Would have been warned: {_users(warnings)} users"
    yield f"Would have been told that they mistyped an address: {_users(mistyped)} users"
    yield f"Would have been un-confirmed: {_users(ends)} users"
    yield from _numbers("by category", report.categories)
    yield from _numbers("by provider", report.providers)
    yield ""
    yield "Before you enforce"
    yield from (f"  [{'ok' if check.good else 'LOOK'}] {check.words}" for check in report.checks)
    yield "  The wiki would have left alone members of protected groups, and whoever confirmed or changed the"
    yield "  address since; in shadow mode it is not asked."
    if both.agreement:
        yield from _compared(both.agreement)
    if report.would:
        yield ""
        yield "Who, when and why (the whole story: `why USER --wiki W`)"
        yield from map(_line, report.would)


def _wikis(modes: Mapping[str, str]) -> str:
    if len(modes) > NAMED:
        return in_modes([str(mode) for mode in modes.values()])
    return "Wikis: " + ", ".join(f"{wiki} ({mode})" for wiki, mode in modes.items())


def _users(would: list[Would]) -> int:
    return len({(one.what.wiki, one.what.user_id) for one in would})


def _numbers(title: str, numbers: Mapping[str, int]) -> Iterator[str]:
    if numbers:
        yield f"  {title}: " + ", ".join(f"{name} {number}" for name, number in numbers.items())


def _compared(found: Agreement) -> Iterator[str]:
    only_it = len(found.only_it) + found.unknown
    yield ""
    yield "Beside BounceHandler"
    yield f"  both: {len(found.both)}   only we: {len(found.only_we)}   only BounceHandler: {only_it}"
    if found.unknown:
        yield f"  {found.unknown} of the last: no mail that we signed to that address has come back"
    if found.untagged:
        yield f"  {found.untagged} of ours were signed in BounceHandler's format and match no address"
    yield from (f"  only we: user {user_id} of {wiki}" for wiki, user_id in found.only_we)
    yield from (
        f"  only BounceHandler: user {one.user_id} of {one.wiki}; we: {one.outlook}" for one in found.only_it
    )


def _line(one: Would) -> str:
    what = one.what
    since = f"; MAIL HAS ARRIVED SINCE ({one.arrived:%Y-%m-%d})" if one.arrived else ""
    where = f" at {what.provider}" if what.provider else ""
    who = f"user {what.user_id} of {what.wiki}"
    return f"  {what.created:%Y-%m-%d %H:%M}  {who}: {what.kind}, {what.reason}{where}{since}"

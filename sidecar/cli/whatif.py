"""replay --against: two policies over the same archived mail."""

from collections.abc import Iterable
from pathlib import Path

import click
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from sidecar import replaying
from sidecar.cli.common import EX_CONFIG, EX_TEMPFAIL, as_json, stop_with, troubles
from sidecar.cli.printing import cell, console, table_of
from sidecar.configuration.configured import Config
from sidecar.configuration.policies import PolicyError, policy_in
from sidecar.domain.harmless import harmless
from sidecar.domain.policy import PRESETS, Policy
from sidecar.edges import archive
from sidecar.processes.crew import HandLost
from sidecar.services.replay import Archived
from sidecar.services.whatif import Difference, Fated

__all__ = ["show"]


def show(config: Config, mails: Iterable[Archived], against: str, *, json_: bool, processes: int = 1) -> None:
    """Compare, and print: always the same of the same mails."""
    other = _policy(against)
    with troubles(config), Progress(console=console, transient=True, disable=json_) as progress:
        task = progress.add_task("reading", total=None)
        try:
            judged, users = replaying.what_if(
                config,
                mails,
                other,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
                processes=processes,
            )
        except archive.NotAnArchive as error:
            stop_with(2, str(error))
        except HandLost as error:
            stop_with(EX_TEMPFAIL, str(error))
    left_out = {"undated": sorted(set(judged.undated)), "unreadable": sorted(set(judged.unreadable))}
    if json_:
        policies = {wiki: str(policy) for wiki, policy in config.policies.items()}
        as_json(
            {
                "configured": policies,
                "against": str(other),
                "receipts": dict(sorted(judged.receipts.items())),
                **left_out,
                "users": users,
            }
        )
        return
    for receipt, count in sorted(judged.receipts.items()):
        click.echo(f"{count:6} {receipt}")
    for why, names in zip(("it has no date", "it cannot be read"), left_out.values(), strict=True):
        for name in names:
            click.echo(f"left out, {why}: {harmless(name)}")
    if users:
        console.print(_table(users, against))
    click.echo(_summary("configured", [user.ours for user in users]))
    click.echo(_summary(against, [user.theirs for user in users]))
    click.echo(f"they differ for {sum(bool(user.difference) for user in users)} users")


def _policy(against: str) -> Policy:
    """The other policy; ends the program with all that is wrong with it."""
    if against in PRESETS:
        return policy_in(f'policy.preset = "{against}"')
    try:
        return policy_in(Path(against).read_text("utf-8"))
    except PolicyError as error:
        stop_with(EX_CONFIG, "\n".join(f"{against}: {problem}" for problem in error.problems))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        stop_with(2, f"{against}: no preset ({', '.join(PRESETS)}), and no file to read: {why}")


def _table(users: Iterable[Difference], against: str) -> Table:
    columns = ("wiki", "user", "configured", harmless(against), "difference")
    table = table_of("What if", *map(escape, columns), folds=[escape(name) for name in columns[2:]])
    for user in users:
        table.add_row(*map(cell, (user.wiki, user.user_id, user.ours, user.theirs, user.difference)))
    return table


def _summary(name: str, fates: list[Fated]) -> str:
    warned, lost = sum(bool(one.warned) for one in fates), sum(bool(one.unconfirmed) for one in fates)
    return f"{harmless(name)}: {warned} warned, {lost} un-confirmed"

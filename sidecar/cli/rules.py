"""rules: the table that judges, the operator's own rules before the built-in ones."""

from pathlib import Path

import click

from sidecar import config_files
from sidecar.cli.common import EX_CONFIG, as_json, rule_troubles, stop_with
from sidecar.cli.printing import cell, console, table_of
from sidecar.configuration.configured import ConfigError
from sidecar.domain.classify import RuleBook
from sidecar.edges import rule_files

__all__ = ["rules", "rules_in_use"]


@click.group()
def rules() -> None:
    """The rules that judge a bounce: your own, in [rules] directory, before the built-in ones.

    They are tried in the order of their files' names. `classify` shows which one a mail meets, and on which
    words; `systemctl reload bounce-sidecar` makes the daemon read them again.
    """


@rules.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "json_", is_flag=True, help="Problems as a JSON list.")
@click.pass_obj
def check(config: Path, paths: tuple[Path, ...], json_: bool) -> None:
    """Say everything that is wrong with rule files: the file, the rule and the reason.

    PATH is a rule file or a folder of *.toml; without one, the configured folder. Exit code 1 if anything is
    wrong.
    """
    with rule_troubles():
        chosen = list(paths) or rule_files.own(_directory(config))
    wrong = rule_files.check(chosen)
    if json_:
        as_json(wrong)
    else:
        for problem in wrong:
            click.echo(problem, err=True)
    if wrong:
        raise SystemExit(1)
    if not json_:
        count = len(rule_files.listed(chosen)) - len(rule_files.listed([]))
        click.echo(f"good: {count} rules of your own, {len(rule_files.listed([]))} built in")


@rules.command("list")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(config: Path, json_: bool) -> None:
    """All rules in the order in which they are tried, then the vetoes: words beside which nothing counts."""
    rules_in_use(config)
    entries = rule_files.listed(rule_files.own(_directory(config)))
    if json_:
        as_json(entries)
        return
    table = table_of("Rules", "id", "category", "may count", "file", folds=["id", "file"])
    for entry in entries:
        facts = (entry.id, entry.category or "(veto)", "hard" if entry.hard else "", entry.file)
        table.add_row(*map(cell, facts))
    console.print(table)


def rules_in_use(config: Path) -> RuleBook:
    """The rules that the daemon would use; ends the program if they cannot be used."""
    with rule_troubles():
        return rule_files.load(_directory(config))


def _directory(config: Path) -> Path:
    try:
        return config_files.rules_directory(config)
    except ConfigError as error:
        stop_with(EX_CONFIG, "\n".join(f"{config}: {problem}" for problem in error.problems))

"""verp: return paths by hand."""

from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import as_json, configured, day, stop_with
from sidecar.domain.verp import VerpError
from sidecar.services.return_path import ReturnPaths

__all__ = ["verp"]


@click.group()
def verp() -> None:
    """Sign and check return paths by hand, with the keys of the configuration."""


@verp.command()
@click.argument("wiki")
@click.argument("user_id", type=click.IntRange(1, 2**32 - 1))
@click.argument("address")
@click.pass_obj
def issue(path: Path, wiki: str, user_id: int, address: str) -> None:
    """Print the return path for a mail to ADDRESS of user USER_ID on WIKI, as of now."""
    try:
        click.echo(ReturnPaths(configured(path).verp, host.now).issue(wiki, user_id, address))
    except VerpError as error:
        stop_with(1, str(error))


@verp.command()
@click.argument("return_path")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def check(path: Path, return_path: str, json_: bool) -> None:
    """Say whose RETURN_PATH is; exit code 1 if it is foreign, forged or too old."""
    try:
        token = ReturnPaths(configured(path).verp, host.now).recognise(return_path)
    except VerpError as error:
        if json_:
            as_json({"error": type(error).__name__, "why": str(error)})
        stop_with(1, f"{type(error).__name__}: {error}")
    if json_:
        as_json(token)
    else:
        click.echo(f"wiki {token.wiki}, user {token.user_id}, sent {day(token.sent)} UTC, key {token.key_id}")

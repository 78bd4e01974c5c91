"""What a LocalSettings.php says, for check-config --from-localsettings; and the table of settings."""

import re
from collections.abc import Callable
from pathlib import Path

import click

from sidecar import config_files
from sidecar.cli.common import as_json, stop_with
from sidecar.configuration.config import parse
from sidecar.configuration.configured import ConfigError
from sidecar.domain.harmless import harmless
from sidecar.localsettings.counterparts import COUNTERPARTS
from sidecar.localsettings.making import SECRET_FILE, Made, made_from
from sidecar.localsettings.php_file import PhpError, read

__all__ = ["print_configuration", "settings"]

#: Stands in for the secrets that somebody has yet to make, so that all else can be judged.
STAND_IN = b"0123456789abcdefghijklmnopqrstuv"


#: How our own reader calls the only wiki: by its number if its id is missing.
_WIKI = re.compile(r"^\[\[wikis\]\] (number 1|\S+(?= (?:api|id) is missing)) ")


def print_configuration(config: Path, local_settings: Path, write_secret: Path | None) -> None:
    """Print the TOML; ends the program with 1 if anything is left open."""
    try:
        file = read(local_settings.read_bytes())
    except (PhpError, OSError) as error:
        stop_with(2, f"{local_settings}: {error}")
    except ImportError as error:
        stop_with(2, f"needs the library {error.name}: pip install 'bounce-sidecar[localsettings]'")
    made = made_from(file, str(local_settings), _named(config, write_secret))
    problems = _problems(made)
    if write_secret:
        _write(write_secret, made)
    for problem in problems:
        made.comment(f"LOOK {problem}")
    click.echo(made.toml, nl=False)
    told = [*made.left_open, *problems] + ([made.no_secret] if made.no_secret and not made.left_open else [])
    for one in dict.fromkeys(told):
        click.echo(f"{local_settings}: {harmless(one)}", err=True)
    if told:
        raise SystemExit(1)


def _named(config: Path, write_secret: Path | None) -> str:
    """How the configuration names the secret's file: beside itself, or by its whole path."""
    if write_secret is None:
        return SECRET_FILE
    whole = write_secret.absolute()
    return whole.name if whole.parent == config.absolute().parent else str(whole)


def _problems(made: Made) -> list[str]:
    """What our own reader of configurations says of it, but for what was left open."""
    try:
        parse(made.toml, _secrets(made))
    except ConfigError as error:
        open_ = tuple(one.partition(":")[0] for one in made.left_open)
        return [one for one in error.problems if not _WIKI.sub("[[wikis]] ", one).startswith(open_ or "\0")]
    return []


def _secrets(made: Made) -> Callable[[str], bytes]:
    def secret(name: str) -> bytes:
        return STAND_IN if name in ("verp.keys", "bot.password") or made.secret is None else made.secret

    return secret


def _write(path: Path, made: Made) -> None:
    if made.secret is None:
        stop_with(1, f"--write-secret: {harmless(made.no_secret)}")
    try:
        config_files.write_secret(path, made.secret)
    except FileExistsError:
        stop_with(1, f"--write-secret: {path} is there already, and stays as it is")
    except OSError as error:
        stop_with(1, f"--write-secret: {path}: {error.strerror}")


@click.command()
@click.option("--json", "json_", is_flag=True, help="As JSON.")
def settings(json_: bool) -> None:
    """Every setting of BounceHandler, with what stands in its place here. Needs no configuration."""
    if json_:
        as_json(COUNTERPARTS)
        return
    for one in COUNTERPARTS:
        click.echo(f"$wg{one.name}, by default {one.spelled}")
        click.echo(f"    here: {one.here or 'nothing'}; {one.note}")

"""The file of the keys, for the commands that look at it and change it.

Knows where it is and how its troubles are told. Does not know any command.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click

from sidecar import config_files, host
from sidecar.cli.common import EX_CONFIG, EX_TEMPFAIL, stop_with
from sidecar.configuration.configured import ConfigError, SecretError
from sidecar.configuration.secrets import key_problems
from sidecar.domain import rotation
from sidecar.domain.key_file import KeyFile
from sidecar.edges import secret_file

__all__ = ["FILE", "KEY", "Change", "changing", "place_of", "read"]

FILE = click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="The file of the keys, if another than the configured one: puppet's, or a credential's source.",
)
KEY = click.argument("key_id", metavar="ID")


@dataclass
class Change:
    """The file as it is, and what becomes of it."""

    file: KeyFile
    place: Path
    accept: timedelta
    now: datetime
    write: Callable[[KeyFile], None]


def place_of(config: Path, named: Path | None) -> config_files.KeysPlace:
    """Where the keys are; ends the program if the configuration does not say so."""
    try:
        return config_files.keys_place(config, named)
    except ConfigError as error:
        stop_with(EX_CONFIG, "\n".join(f"{config}: {problem}" for problem in error.problems))


def read(place: Path) -> KeyFile:
    """Ends the program with all that is wrong with it."""
    try:
        content = config_files.secret_reader(place.parent, None)(str(place.absolute()))
    except SecretError as error:
        stop_with(EX_CONFIG, f"{place}: {error}{_hint(place)}")
    file, problems = key_problems(content)
    if problems:
        stop_with(EX_CONFIG, "\n".join(f"{place}: {problem}" for problem in problems))
    return file


@contextmanager
def changing(config: Path, named: Path | None, dry_run: bool) -> Iterator[Change]:
    """Alone with the file; every trouble is told in a line, and then nothing is changed."""
    found = place_of(config, named)
    place = found.file
    if found.credential:
        stop_with(1, f"{place} is systemd's copy, which cannot be changed: name its source with --file")
    try:
        with secret_file.changing(place) as real:

            def write(file: KeyFile) -> None:
                if not dry_run:
                    secret_file.replace(real, file.content)

            yield Change(read(real), real, found.accept, host.now().replace(microsecond=0), write)
    except secret_file.Busy as error:
        stop_with(EX_TEMPFAIL, f"{place}: {error}")
    except (secret_file.CannotReplace, rotation.UnknownKey, rotation.CannotRetire) as error:
        stop_with(1, f"{place}: {error}{_hint(place)}")


def _hint(place: Path) -> str:
    return "" if place.exists() else "; if systemd hands it in (LoadCredential=), name its source with --file"

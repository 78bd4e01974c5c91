"""What the commands share: the configuration, the database, JSON, and how trouble is told.

Knows exit codes (sysexits.h). Does not know any single command.
"""

import asyncio
import contextlib
import dataclasses
import difflib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError

from sidecar import host
from sidecar.configuration.configured import Config, ConfigError
from sidecar.domain.classify import RuleError
from sidecar.domain.harmless import harmless
from sidecar.storage.database import Database, DatabaseSilent, NoHistory, OnlyRead
from sidecar.telemetry import Tellable

__all__ = [
    "EX_CONFIG",
    "EX_TEMPFAIL",
    "NAMED",
    "NO_WIKI",
    "TIME",
    "as_json",
    "ask",
    "config_troubles",
    "configured",
    "day",
    "in_modes",
    "in_utc",
    "one_wiki",
    "opened",
    "rule_troubles",
    "stop_with",
    "troubles",
]

#: A day or a moment, in UTC.
TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])

EX_TEMPFAIL = 75
EX_CONFIG = 78

NAMED = 12  # wikis that a message names one by one: two lines of a terminal

NO_WIKI = "no wiki is known yet: `bounce-sidecar wikis refresh`"

_LOGIN = EX_TEMPFAIL, ": look at the user in [storage] url, and at password_file"
_TABLES = (
    EX_CONFIG,
    (
        ": this user lacks a right; tables are changed by their owner, with --url and --password-file"
        " (docs/operating.md, MariaDB and PostgreSQL)"
    ),
)
#: What an operator can do about an error of the server, by its own code: MariaDB's "Server Error Codes",
#: PostgreSQL's "Appendix A". A login may be in the making, and is tried again.
REMEDIES: dict[object, tuple[int, str]] = {1044: _LOGIN, 1045: _LOGIN, 1142: _TABLES, "42501": _TABLES}

R = TypeVar("R")


def configured(path: Path) -> Config:
    """The configuration; ends the program with all that is wrong with it."""
    with config_troubles(path):
        return host.load_config(path)


@contextlib.contextmanager
def config_troubles(path: Path) -> Iterator[None]:
    """Tell all that is wrong with a configuration, a line each."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"{path}: {problem}", err=True)
        raise SystemExit(EX_CONFIG) from None


@contextlib.contextmanager
def rule_troubles() -> Iterator[None]:
    """Tell a rule's trouble in a plain line."""
    try:
        yield
    except RuleError as error:
        stop_with(EX_CONFIG, str(error))


@contextlib.contextmanager
def troubles(config: Config) -> Iterator[None]:
    """Tell a database's or a rule's trouble in plain lines; a traceback helps nobody at night."""
    try:
        with rule_troubles():
            yield
    except NoHistory as error:
        stop_with(1, str(error))
    except (DatabaseSilent, OnlyRead) as error:
        stop_with(EX_TEMPFAIL, f"{config.storage_url}: {error}")
    except Tellable as error:
        stop_with(EX_CONFIG, str(error))
    except SQLAlchemyError as error:
        said = getattr(error, "orig", None) or error
        code, remedy = REMEDIES.get(_code(said), (EX_TEMPFAIL, ""))
        stop_with(code, f"{config.storage_url}: {said}{remedy}")


def _code(error: BaseException) -> object:
    """The server's own: MariaDB's number, PostgreSQL's SQLSTATE."""
    number = next(iter(error.args), None)
    return number if isinstance(number, int) else getattr(error, "sqlstate", None)


def stop_with(code: int, message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(code)


@contextlib.asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Database]:
    database = host.database_of(config)
    try:
        await database.join()
        yield database
    finally:
        await database.close()


def ask(config: Config, work: Callable[[Database], Coroutine[Any, Any, R]]) -> R:
    """Run *work* on the configured database."""

    async def run() -> R:
        async with opened(config) as database:
            return await work(database)

    with troubles(config):
        return asyncio.run(run())


def as_json(value: object) -> None:
    """Print dataclasses, times and the like as JSON."""

    def plain(thing: object) -> object:
        if isinstance(thing, datetime):
            return thing.isoformat()
        if isinstance(thing, timedelta):
            return thing.total_seconds()
        if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            return {item.name: getattr(thing, item.name) for item in dataclasses.fields(thing)}
        raise TypeError(type(thing).__name__)

    json.dump(value, sys.stdout, default=plain, indent=2)
    click.echo()


def in_modes(modes: Collection[str]) -> str:
    """How many wikis there are, and in which modes."""
    counts = ", ".join(f"{number} in {mode} mode" for mode, number in sorted(Counter(modes).items()))
    return f"{len(modes)} wiki{'s' if len(modes) > 1 else ''}: {counts}"


def day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else ""


def in_utc(moment: datetime) -> datetime:
    """What an operator typed."""
    return moment.replace(tzinfo=UTC)


def one_wiki(config: Config, wiki: str | None) -> str:
    """The wiki that was named, or the only one; ends the program if neither is there."""
    known = [entry.id for entry in config.wikis]
    if wiki is None and len(known) == 1:
        return known[0]
    if wiki in known:
        return wiki
    if not known:
        stop_with(2, NO_WIKI)
    if len(known) <= NAMED:
        stop_with(2, f"--wiki must be one of: {', '.join(known)}")
    what = f"{harmless(wiki)} is none of the {len(known)} wikis" if wiki else "which wiki? say --wiki ID"
    folded = {name.lower(): name for name in known}
    close = difflib.get_close_matches((wiki or "").lower(), folded, 3)
    meant = f" (did you mean {' or '.join(folded[name] for name in close)}?)" if close else ""
    stop_with(2, f"{what}{meant}; `bounce-sidecar wikis list` names all")

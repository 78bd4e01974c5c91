"""status: how it is, on one screen, for a person and for a monitoring system.

Knows exit codes and lines of Nagios's plugins, and how long anybody waits for an answer. Does not judge:
domain/trouble.py does.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import NoReturn

import click

from sidecar import host
from sidecar.cli import status_lines
from sidecar.cli.common import as_json
from sidecar.configuration.configured import Config, ConfigError
from sidecar.domain.trouble import Tolerance, troubles
from sidecar.domain.vitals import Vitals
from sidecar.journal import configure_logging
from sidecar.services.vitals import Findings

__all__ = ["status"]

#: Seconds until an answer is given, whatever hangs; Nagios waits for 60.
PATIENCE = 20.0
FAREWELL = 1.0  # seconds for what is being asked to end by itself

UNKNOWN = 3


@click.command()
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.option("--nagios", is_flag=True, help="One line with numbers, and one for each trouble.")
@click.pass_obj
def status(path: Path, json_: bool, nagios: bool) -> None:
    """How it is: what is wrong and what to do, and when anything last happened.

    Works without the daemon and without the database, and never hangs. Exit codes as Nagios's plugins have
    them: 0 all is well, 1 something is to be looked at today, 2 now, 3 the configuration cannot be
    read, or the database is not for whoever asks.
    """
    configure_logging("critical", "console")  # what is logged is told in better words
    try:
        config = host.load_config(path)
    except ConfigError as error:
        _unknown([f"{path}: {problem}" for problem in error.problems], json_)
    if file := host.not_ours(config):
        _unknown([f"{file} may not be written by this user: ask as root or as the sidecar's user"], json_)
    look = _Look(config)
    found = look.findings()
    verdict = status_lines.verdict(found.troubles)
    if json_:
        as_json(status_lines.as_facts(found))
    else:
        click.echo("\n".join(_lines(found, config.tolerance, nagios=nagios)))
    sys.stdout.flush()
    look.end(verdict.exit_code)
    raise SystemExit(verdict.exit_code)


def _lines(found: Findings, tolerance: Tolerance, *, nagios: bool) -> list[str]:
    if nagios:
        return status_lines.for_nagios(found, tolerance)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    return status_lines.for_people(found, tolerance, width)


def _unknown(problems: list[str], json_: bool) -> NoReturn:
    """Nothing can be told."""
    if json_:
        as_json({"status": "unknown", "exit_code": UNKNOWN, "problems": problems})
    else:
        click.echo("\n".join([f"{status_lines.NAME} UNKNOWN - {problems[0]}", *problems[1:]]))
    raise SystemExit(UNKNOWN)


class _Look:
    """Asks in a thread of its own: a disk or a database that hangs hangs there."""

    def __init__(self, config: Config) -> None:
        self._config, self._found, self._there = config, list[Findings](), threading.Event()
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def findings(self) -> Findings:
        """What was found, or that nothing was within PATIENCE."""
        self._thread.start()
        self._there.wait(PATIENCE)
        if self._found:
            return self._found[0]
        silent = Vitals(
            host.now(), database=f"Neither the database nor this host's disk answered within {PATIENCE:g} s"
        )
        return Findings(silent, troubles(silent, self._config.tolerance))

    def end(self, exit_code: int) -> None:
        """Ends the process if the thread does not end: Python would wait for it."""
        self._thread.join(FAREWELL)
        if self._thread.is_alive():
            os._exit(exit_code)

    def _run(self) -> None:
        with contextlib.suppress(Exception):  # of closing; whatever else there is, it is told
            asyncio.run(self._ask())

    async def _ask(self) -> None:
        database = host.database_of(self._config) if self._config.node.has_history else None
        try:
            self._found.append(await host.watchman(self._config, database).look())
        finally:
            self._there.set()
            if database:
                await database.close()

"""canary: one bounce to ourselves, now, and each step of its way."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import as_json, ask, configured
from sidecar.configuration.configured import Config
from sidecar.configuration.setting_kinds import host_and_port
from sidecar.domain.canary import CANARY, compose, token_of
from sidecar.domain.remedies import REMEDIES, Kind
from sidecar.edges.mail_server import MailServer
from sidecar.services.canary import send
from sidecar.storage import canaries
from sidecar.storage.database import Database
from sidecar.threads import Room

__all__ = ["canary_command"]

Tell = Callable[[str], None]

_DAEMON = "Does the daemon run? `status` says so."
DEFAULT = ("127.0.0.1", 25)
PATIENCE = 10.0  # seconds for each word of the mail server; somebody waits
LOOK = 0.2  # seconds between two looks whether it is back
SECOND = 1.0  # after which this node's next return path is another one


@dataclass(frozen=True)
class Flown:
    """How far it came."""

    smtp: str
    return_path: str
    handed: float | None = None  #: seconds until the mail server had it
    back: float | None = None  #: seconds until it was booked here, from when the mail server had it
    why: str = ""  #: why it came no further
    remedy: str = ""


@click.command("canary")
@click.option("--smtp", "server", metavar="HOST:PORT", help="Another mail server than [canary] smtp.")
@click.option("--wait", type=click.FloatRange(0, 3600), default=60, show_default=True, help="Seconds.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def canary_command(path: Path, server: str | None, wait: float, json_: bool) -> None:
    """Send a bounce to ourselves through the mail server, and wait until it is back.

    The daemon must be running: the bounce comes to its door. It is recognised and counts for nobody. Exit
    code 1 if it did not leave or did not come back.
    """
    config = configured(path)
    try:
        smtp = host_and_port(server) if server else config.canary.smtp if config.canary else DEFAULT
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--smtp") from None
    found = ask(config, partial(_fly, config, smtp, wait, _silently if json_ else click.echo))
    if json_:
        as_json(found)
    elif found.why:
        click.echo(f"{found.why}\n{found.remedy}", err=True)
    if found.why:
        raise SystemExit(1)


def _silently(_words: str) -> None:
    """For who wants JSON alone."""


async def _fly(config: Config, smtp: tuple[str, int], wait: float, tell: Tell, database: Database) -> Flown:
    path, number = await _entered(config, database)
    flown = Flown("{}:{}".format(*smtp), path)
    mail = compose(path, host.node_name(config), host.now())
    room, began = Room("canary"), time.monotonic()
    server = MailServer(*smtp, patience=PATIENCE)
    if why := await send(database, room, number, lambda: server.hand_over(path, mail)):
        return replace(flown, why=f"it did not leave: {why}", remedy=REMEDIES[Kind.CANARY_LOST])
    flown = replace(flown, handed=time.monotonic() - began)
    tell(f"handed to {flown.smtp} in {1000 * (flown.handed or 0):,.0f} ms, for {path}")
    began = time.monotonic()
    while not await _is_back(database, number):
        if time.monotonic() - began > wait:
            why = f"it did not come back within {wait:g} s"
            return replace(flown, why=why, remedy=f"{_DAEMON} {REMEDIES[Kind.CANARY_LOST]}")
        await asyncio.sleep(LOOK)
    flown = replace(flown, back=time.monotonic() - began)
    tell(f"came back after {flown.back:.1f} s")
    return flown


async def _entered(config: Config, database: Database) -> tuple[str, int]:
    """A return path, and the number of its row."""
    node = host.node_name(config)
    while True:
        now = host.now()
        path = config.verp.issue(*CANARY, node, now)
        enter = partial(canaries.enter, node=node, token=token_of(path), now=now)
        if number := await database.write(enter):
            return path, number
        await asyncio.sleep(SECOND)


async def _is_back(database: Database, number: int) -> bool:
    found = await database.read(lambda connection: canaries.look(connection, number))
    return bool(found and found.returned)

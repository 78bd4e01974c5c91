"""The composition root: the only module that knows everybody, and the real world.

Here, and nowhere else, the clock is read, chance is asked, signals are caught, and the files of the
configuration are opened.
"""

import asyncio
import contextlib
import grp
import os
import random
import signal
import stat
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

import wiki_adapter
from sidecar import config as config_module
from sidecar.config import Config, ConfigError, WikiConfig, parse
from sidecar.domain.policy import Mode
from sidecar.domain.wiki import Wiki
from sidecar.edges import rule_files
from sidecar.edges.lmtp_server import Limits, LmtpServer
from sidecar.edges.mail_server import MailServer
from sidecar.edges.metrics_server import MetricsServer
from sidecar.edges.verp_socket import VerpSocket
from sidecar.secrets import ReadSecret, SecretError
from sidecar.services.circuit import Pauses
from sidecar.services.digest import Digest, Letterhead
from sidecar.services.dispatch import Dispatcher
from sidecar.services.gauges import Gauges
from sidecar.services.intake import BounceIntake
from sidecar.services.replay import Archived, MailClock, Replayed
from sidecar.services.replay import replay as replay_mails
from sidecar.services.return_path import ReturnPaths
from sidecar.services.rules import RuleReload
from sidecar.services.upkeep import Upkeep
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics

__all__ = [
    "World", "intake_for", "load_config", "missing_groups", "now", "replay", "rules_directory", "run",
    "secret_reader", "wiki_opener",
]  # fmt: skip

log = structlog.get_logger()

OpenWiki = Callable[[WikiConfig], Wiki]
Clock = Callable[[], datetime]
Loop = contextlib.AbstractAsyncContextManager["asyncio.Task[None]"]


def now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


def load_config(path: Path) -> Config:
    """The configuration in *path*. Raises ConfigError with all problems."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None
    return parse(text, secret_reader(path.parent, os.environ.get("CREDENTIALS_DIRECTORY")))


def _unreadable(error: OSError | UnicodeDecodeError) -> ConfigError:
    why = error.strerror if isinstance(error, OSError) else "not UTF-8"
    return ConfigError([f"cannot be read: {why}"])


def secret_reader(beside: Path, credentials: str | None) -> ReadSecret:
    """Reads a secret by its name: absolute, else in systemd's credentials directory, else beside the file.

    Refuses what others than its owner and group may read or write (systemd.exec(5), "Credentials").
    """

    def read(name: str) -> bytes:
        path = beside / name
        if credentials and not Path(name).is_absolute() and (Path(credentials) / name).exists():
            path = Path(credentials) / name
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                raise SecretError("not a regular file")
            if mode & stat.S_IRWXO:
                raise SecretError("others may read or write this file; chmod o-rwx it")
            return path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise SecretError(getattr(error, "strerror", None) or "cannot be read") from None

    return read


def missing_groups(config: Config) -> list[str]:
    """Groups of the sockets that this host does not know."""
    wanted = {config.listen.verp_group, config.listen.lmtp_group} - {""}
    return sorted(wanted - {group.gr_name for group in grp.getgrall()})


def rules_directory(path: Path) -> Path:
    """Where the operator's own rules are; without a configuration file, where they usually are.

    Reads no secret: whoever may read the rules may ask. Raises ConfigError.
    """
    try:
        return config_module.rules_directory(path.read_text("utf-8"))
    except FileNotFoundError:
        return config_module.rules_directory("")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None


def wiki_opener(config: Config) -> OpenWiki:
    """How a configured wiki is reached: through mwclient, with the contact of *config*."""

    def open_one(wiki: WikiConfig) -> Wiki:
        access = wiki_adapter.WikiAccess(wiki.api, wiki.account, wiki.password, config.contact)
        return wiki_adapter.open_wiki(access)

    return open_one


@dataclass(frozen=True)
class World:
    """What the daemon takes from outside, so that a test may bring its own."""

    clock: Clock = now
    jitter: Callable[[], float] = random.random
    open_wiki: OpenWiki | None = None  #: mwclient if None
    pauses: Pauses = field(default_factory=Pauses)


async def run(
    config: Config,
    *,
    world: World = World(),
    stop: asyncio.Event | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until *stop* is set; without one, until SIGTERM or SIGINT. SIGHUP reads the rules again.

    Raises RuleError, CannotListen, SQLAlchemyError, or whatever ends a loop that should not end.
    """
    metrics = Metrics()
    rules = rule_files.load(config.rules_directory)
    async with contextlib.AsyncExitStack() as life:  # unwound backwards: doors, loops, rooms, database
        database = Database(config.storage_url)
        life.push_async_callback(database.close)
        await database.open()
        dispatcher = _dispatcher(config, world, database, metrics)
        life.callback(dispatcher.close)
        return_paths = ReturnPaths(config.verp, world.clock, metrics)
        intake = BounceIntake(
            database, return_paths, rules, config.policies, world.clock, dispatcher.ring, metrics
        )
        life.callback(intake.close)
        doors = await life.enter_async_context(contextlib.AsyncExitStack())
        await _open_doors(config, return_paths, intake, metrics, doors)  # a second daemon ends here
        reload = RuleReload(lambda: rule_files.load(config.rules_directory), intake.use, metrics)
        life.callback(reload.close)
        stop = stop or _on_signals(asyncio.Event(), reload.ring)
        work: list[Loop] = [
            _loop("dispatch", dispatcher.run, dispatcher.stop),
            _loop("rules", reload.run),
            *_other_loops(config, world.clock, database, metrics, life),
        ]
        loops = {await life.enter_async_context(loop) for loop in work}
        life.push_async_callback(doors.aclose)  # the doors close before the loops end
        ready()
        log.info("serving", modes=_modes(config), rules=len(rules.rules), database=config.storage_url)
        await _until(stop, loops)


async def _until(stop: asyncio.Event, loops: "set[asyncio.Task[None]]") -> None:
    stopped = asyncio.create_task(stop.wait(), name="stop")
    try:
        ended, _ = await asyncio.wait({stopped, *loops}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
    log.info("stopping")
    for task in ended:
        task.result()  # a loop that ended by itself ends the daemon: the service manager starts a new one


def _dispatcher(config: Config, world: World, database: Database, metrics: Metrics) -> Dispatcher:
    open_wiki = world.open_wiki or wiki_opener(config)
    wikis = {wiki.id: open_wiki(wiki) for wiki in config.wikis}
    return Dispatcher(database, wikis, config.policies, world.clock, world.jitter, world.pauses, metrics)


def _other_loops(
    config: Config,
    clock: Clock,
    database: Database,
    metrics: Metrics,
    life: contextlib.AsyncExitStack,
) -> Iterator[Loop]:
    yield _loop("upkeep", Upkeep(database, config.keep_mail, config.keep_aside, clock).run)
    if config.listen.metrics:
        yield _loop("gauges", Gauges(database, metrics).run)
    if config.digest:
        told = config.digest
        head = Letterhead(told.to, told.sender, config.verp.domain)
        digest = Digest(database, head, told.hour, MailServer(*told.smtp).send, clock)
        life.callback(digest.close)
        yield _loop("digest", digest.run, digest.stop)


@contextlib.asynccontextmanager
async def intake_for(config: Config) -> AsyncIterator[tuple[BounceIntake, Database]]:
    """The intake and its database, without doors and loops: for an operator's command, beside the daemon.

    What it owes the wikis is paid by the daemon. Raises RuleError, SchemaUnknown or SQLAlchemyError.
    """
    rules = rule_files.load(config.rules_directory)
    async with contextlib.AsyncExitStack() as life:
        database = Database(config.storage_url)
        life.push_async_callback(database.close)
        await database.join()
        intake = BounceIntake(database, ReturnPaths(config.verp, now), rules, config.policies, now)
        life.callback(intake.close)
        yield intake, database


async def replay(
    config: Config, mails: Iterable[Archived], *, ingest: bool, progress: Callable[[int, int], None]
) -> Replayed:
    """Take archived mail in: into the history if *ingest*, else into one in memory that is thrown away."""
    clock = MailClock()
    async with contextlib.AsyncExitStack() as life:
        database = Database(config.storage_url if ingest else "sqlite://")
        life.push_async_callback(database.close)
        await (database.join() if ingest else database.open())
        policies = dict(config.policies)
        if not ingest:
            policies = {wiki: replace(policy, mode=Mode.SHADOW) for wiki, policy in policies.items()}
        rules = rule_files.load(config.rules_directory)
        wall_clock = now if ingest else clock
        return_paths = ReturnPaths(config.verp, clock)
        intake = BounceIntake(database, return_paths, rules, policies, clock, wall_clock=wall_clock)
        life.callback(intake.close)
        return await replay_mails(mails, intake, clock, database, progress)


async def _open_doors(
    config: Config,
    return_paths: ReturnPaths,
    intake: BounceIntake,
    metrics: Metrics,
    life: contextlib.AsyncExitStack,
) -> None:
    listen = config.listen
    if listen.metrics:
        server = MetricsServer(metrics.registry)
        life.push_async_callback(server.close)
        server.listen(*listen.metrics)
    lmtp = LmtpServer(intake, limits=Limits(size=listen.max_mail_bytes))
    life.push_async_callback(lmtp.close)
    await lmtp.listen_unix(listen.lmtp, group=listen.lmtp_group or None)
    if listen.lmtp_tcp:
        await lmtp.listen_tcp(*listen.lmtp_tcp)
    verp_socket = VerpSocket(return_paths)
    life.push_async_callback(verp_socket.close)
    await verp_socket.listen(listen.verp, group=listen.verp_group or None)


@contextlib.asynccontextmanager
async def _loop(
    name: str, work: Callable[[], Coroutine[Any, Any, None]], end: Callable[[], None] | None = None
) -> AsyncIterator["asyncio.Task[None]"]:
    """A task for as long as the context lasts: ended by *end* if there is one, else cancelled."""
    task = asyncio.create_task(work(), name=name)
    try:
        yield task
    finally:
        if end:
            end()
        else:
            task.cancel()
        await asyncio.wait({task})


def _modes(config: Config) -> Mapping[str, str]:
    return {wiki: str(policy.mode) for wiki, policy in config.policies.items()}


def _on_signals(stop: asyncio.Event, reload: Callable[[], None]) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return stop

"""The composition root: the only module that knows everybody.

Here, and nowhere else, chance is asked and signals are caught. What else there is of the real world, the
clock and the files of the configuration, is in host.py; the doors are opened by doors.py.
"""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from sidecar.chores import Chores, watchdog
from sidecar.configuration.configured import Config
from sidecar.doors import Needs, open_doors
from sidecar.edges import rule_files
from sidecar.edges.passed_sockets import PassedSockets
from sidecar.edges.service_manager import ServiceManager
from sidecar.host import database_of, host_signs, metrics_of, now
from sidecar.loops import Loop, loop, until
from sidecar.orders import OpenWiki, Ways, facts_of, level_of, orders_of, reader, ways_of
from sidecar.services.circuit import Pauses
from sidecar.services.dispatch import Dispatcher
from sidecar.services.identity import Identities
from sidecar.services.intake import BounceIntake
from sidecar.services.lines import Lines
from sidecar.services.readers import Readers
from sidecar.services.refusals import Refusals
from sidecar.services.reload import Orders, Reload
from sidecar.services.return_path import ReturnPaths
from sidecar.services.showing import Showing
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.services.watch import Watch
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics
from sidecar.wiki_opener import wiki_opener

__all__ = ["World", "intake_for", "run"]

log = structlog.get_logger()

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class World:
    """What the daemon takes from outside, so that a test may bring its own."""

    clock: Clock = now
    jitter: Callable[[], float] = random.random
    open_wiki: OpenWiki | None = None  #: by the configured adapters if None
    pauses: Pauses = field(default_factory=Pauses)
    sockets: PassedSockets = field(default_factory=PassedSockets)
    manager: ServiceManager = field(default_factory=ServiceManager)
    reread: Callable[[], Config] | None = None  #: the configuration of now; None: that of the start
    host_signs: HostSigns | None = None  #: of this host if None

    def host(self, config: Config) -> HostSigns:
        """How it is asked for its signs of life."""
        return self.host_signs or host_signs(config, self.clock)


async def run(
    config: Config,
    *,
    world: World = World(),
    stop: asyncio.Event | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until *stop* is set; without one, until SIGTERM or SIGINT. SIGHUP reads everything again.

    Raises RuleError, CannotListen, WrongSocket, SQLAlchemyError, or whatever ends a loop that should not end.
    """
    if not config.node.has_history:
        await _only_issue(config, world, stop, ready)
        return
    metrics, orders = metrics_of(config), orders_of(config)
    async with contextlib.AsyncExitStack() as life:  # unwound backwards: doors, loops, rooms, database
        life.push_async_callback((database := database_of(config, metrics, logs_trouble=True)).close)
        await database.open()
        ways = partial(ways_of, world.open_wiki or wiki_opener(config, world.clock))
        life.callback((dispatcher := _dispatcher(orders, ways, world, database, metrics)).close)
        watch, refusals = await _watch(config, world.clock, database, metrics), Refusals(metrics)
        return_paths = ReturnPaths(config.verp, world.clock, metrics, refusals, watch.watched)
        take = partial(BounceIntake, database, return_paths, orders.rules, config.policies, world.clock)
        intake = take(dispatcher.ring, metrics, failed=watch.add, limits=config.brake, readers=Readers.all())
        life.callback(intake.close)
        doors = await life.enter_async_context(contextlib.AsyncExitStack())
        needs = _needs(config, world, database, metrics, watch, dispatcher)
        identities = _identities(orders, world, database, dispatcher, metrics)
        use = _taking_over(config, ways, return_paths, intake, watch, dispatcher, identities, needs.showing)
        life.callback((reload := _reload(config, orders, use, world, metrics, return_paths)).close)
        stop = stop or _on_signals(asyncio.Event(), reload.ring)
        await open_doors(config.listen, world.sockets, return_paths, intake, needs, doors)  # or end here
        main = [*watchdog(world.manager), *_main_loops(config, dispatcher, watch, reload, identities)]
        chores = Chores(config, world.clock, world.host(config), world.jitter, life)
        others = chores.all(needs, dispatcher.calls, refusals, return_paths, reload.ring)
        loops = {await life.enter_async_context(one) for one in (*main, *others)}
        life.push_async_callback(doors.aclose)  # the doors close before the loops end
        log.info("serving", rules=len(orders.rules.rules), **facts_of(config))
        ready()
        await until(stop, loops, world.manager)


def _needs(
    config: Config, world: World, database: Database, metrics: Metrics, watch: Watch, dispatcher: Dispatcher
) -> Needs:
    watchman = Watchman(database, world.host(config), dispatcher.calls.logins, config.tolerance)
    showing = Showing(database, watchman, config.policies, world.clock())
    return Needs(metrics, world.clock, database, watch.watched, showing)


def _reload(
    started: Config,
    orders: Orders,
    use: Callable[[Orders], None],
    world: World,
    metrics: Metrics,
    return_paths: ReturnPaths,
) -> Reload:
    load = reader(world.reread or (lambda: started), started)
    return Reload(orders, load, use, world.manager, metrics, return_paths.used)


def _taking_over(
    started: Config,
    ways: Ways,
    return_paths: ReturnPaths,
    intake: BounceIntake,
    watch: Watch,
    dispatcher: Dispatcher,
    identities: Identities,
    showing: Showing,
) -> Callable[[Orders], None]:
    """Who is handed what at a reload: all of it between two awaits."""
    level = level_of(started)

    def use(orders: Orders) -> None:
        policies = orders.wikis.policies
        return_paths.use(orders.verp)  # before the intake, which judges by it
        intake.use(orders.rules, policies, orders.limits)
        watch.use(policies, orders.verp)
        dispatcher.use(ways(orders.wikis), policies)
        identities.use(policies, orders.limits)
        showing.use(policies)
        level(orders)

    return use


async def _only_issue(
    config: Config, world: World, stop: asyncio.Event | None, ready: Callable[[], None]
) -> None:
    """Without any database."""
    from sidecar.issuing import Issuing  # with a library for HTTP

    metrics, orders = metrics_of(config), orders_of(config)
    issuing = Issuing(config, world.clock, metrics)
    async with contextlib.AsyncExitStack() as life:
        doors = await life.enter_async_context(contextlib.AsyncExitStack())
        reload = _reload(config, orders, issuing.use, world, metrics, issuing.return_paths)
        life.callback(reload.close)
        stop = stop or _on_signals(asyncio.Event(), reload.ring)  # whoever finds the door may send some
        await issuing.open_door(world.sockets, doors)
        chores = Chores(config, world.clock, world.host(config), world.jitter, life)
        others = [*watchdog(world.manager), *chores.census(reload.ring)]
        work: list[Loop] = [loop("reload", reload.run), *issuing.loops(), *others]
        loops = {await life.enter_async_context(one) for one in work}
        life.push_async_callback(doors.aclose)
        log.info("serving", roles="issue", notes_to=config.node.notes_to)
        ready()
        await until(stop, loops, world.manager)


def _main_loops(
    config: Config, dispatcher: Dispatcher, watch: Watch, reload: Reload, identities: Identities
) -> Iterator[Loop]:
    if config.node.acts:
        yield loop("dispatch", dispatcher.run, dispatcher.stop)
        yield loop("identity", identities.run, identities.stop)
    yield loop("reload", reload.run)
    yield loop("watch", watch.run, watch.stop)


def _dispatcher(orders: Orders, ways: Ways, world: World, database: Database, metrics: Metrics) -> Dispatcher:
    lines, policies = Lines(ways(orders.wikis)), orders.wikis.policies
    return Dispatcher(database, lines, policies, world.clock, world.jitter, world.pauses, metrics)


def _identities(
    orders: Orders, world: World, database: Database, dispatcher: Dispatcher, metrics: Metrics
) -> Identities:
    asking = partial(Identities, database, dispatcher.calls, orders.wikis.policies, orders.limits)
    return asking(world.clock, dispatcher.ring, metrics)


async def _watch(config: Config, clock: Clock, database: Database, metrics: Metrics) -> Watch:
    """Knows who is watched before the first mail is signed."""
    watch = Watch(database, config.policies, config.verp, clock, metrics)
    await watch.load()
    return watch


@contextlib.asynccontextmanager
async def intake_for(config: Config) -> AsyncIterator[tuple[BounceIntake, Database]]:
    """The intake and its database, without doors and loops: for an operator's command, beside the daemon.

    What it owes the wikis is paid by the daemon. Raises RuleError, SchemaUnknown or SQLAlchemyError.
    """
    rules = rule_files.load(config.rules_directory)
    async with contextlib.AsyncExitStack() as life:
        database = database_of(config)
        life.push_async_callback(database.close)
        await database.join()
        intake = BounceIntake(
            database, ReturnPaths(config.verp, now), rules, config.policies, now, limits=config.brake
        )
        life.callback(intake.close)
        yield intake, database


def _on_signals(stop: asyncio.Event, reload: Callable[[], None]) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return stop

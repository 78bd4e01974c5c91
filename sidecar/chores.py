"""What runs beside the mail's way, as configured: upkeep, gauges, sums, pulse, mails, canary, census.

Knows which chore needs what. Does not know the mail's way itself: daemon.py does.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime

from sidecar import __version__
from sidecar.configuration.configured import Config
from sidecar.doors import Needs
from sidecar.edges.mail_server import MailServer
from sidecar.edges.service_manager import ServiceManager
from sidecar.host import node_name
from sidecar.loops import Loop, loop
from sidecar.orders import tell_left_out
from sidecar.services.calls import Calls
from sidecar.services.canary import Canaries, Times
from sidecar.services.census import CensusTaker
from sidecar.services.digest import Digest
from sidecar.services.gauges import Gauges
from sidecar.services.letters import Letterhead
from sidecar.services.pulse import Myself, Pulse
from sidecar.services.refusals import Refusals
from sidecar.services.return_path import ReturnPaths
from sidecar.services.rollup import Rollup
from sidecar.services.summary import Summary
from sidecar.services.upkeep import Keep, Upkeep
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.services.watched import Watched
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics

__all__ = ["Chores", "watchdog"]


def watchdog(manager: ServiceManager) -> Iterator[Loop]:
    """Tells the service manager that the loop turns, if it wants to know."""
    if manager.watchdog:
        yield loop("watchdog", manager.keep_alive)


class Chores:
    """Of one daemon; what they open is closed when *life* ends."""

    def __init__(
        self,
        config: Config,
        clock: Callable[[], datetime],
        host: HostSigns,
        jitter: Callable[[], float],
        life: contextlib.AsyncExitStack,
    ) -> None:
        self._config, self._clock, self._host = config, clock, host
        self._jitter, self._life = jitter, life

    def all(
        self,
        needs: Needs,
        calls: Calls,
        refusals: Refusals,
        return_paths: ReturnPaths,
        changed: Callable[[], None],
    ) -> Iterator[Loop]:
        """Of a node with a history. *changed*: the configuration is to be read again."""
        database, metrics, watchman = needs.database, needs.metrics, needs.showing.watchman
        yield from self.census(changed)
        self._life.callback(refusals.sum_up)
        yield loop("refusals", refusals.run)
        if self._config.listen.metrics:
            yield loop("gauges", Gauges(database, metrics, watchman, calls).run)
        yield from self._records(database, needs.watched)
        yield from self._digest(database)
        yield from self._canaries(database, return_paths, metrics)
        yield from self._summary(database, watchman)

    def census(self, changed: Callable[[], None]) -> Iterator[Loop]:
        """Keeps the farm's wikis known; nobody waits for it."""
        if farm := self._config.farm:
            from sidecar.edges.sitematrix_look import look_at, shelf_at  # with a library for HTTP

            tell_left_out(self._config)
            config = self._config
            look = look_at(farm.sitematrix, config.contact, config.verp.accept, farm.refresh)
            taker = CensusTaker(look, shelf_at(farm.cache), self._clock, self._jitter, changed)
            self._life.callback(taker.close)
            yield loop("census", taker.run)

    def _records(self, database: Database, watched: Watched) -> Iterator[Loop]:
        config = self._config
        if config.node.takes:
            keep = Keep(config.keep_mail, config.keep_aside, config.keep_bounces, config.keep_audit)
            yield loop("upkeep", Upkeep(database, keep, self._clock).run)
        yield loop("rollup", Rollup(database, self._clock).run)
        myself = Myself(node_name(config), config.node.roles, __version__)
        pulse = Pulse(database, myself, self._host, watched)
        yield loop("pulse", pulse.run, pulse.stop)

    def _digest(self, database: Database) -> Iterator[Loop]:
        if told := self._config.digest:
            head = Letterhead(told.to, told.sender, self._config.verp.domain)
            digest = Digest(database, head, told.hour, MailServer(*told.smtp).send, self._clock)
            self._life.callback(digest.close)
            yield loop("digest", digest.run, digest.stop)

    def _canaries(self, database: Database, return_paths: ReturnPaths, metrics: Metrics) -> Iterator[Loop]:
        if wanted := self._config.canary:
            name, borne = node_name(self._config), self._config.tolerance
            hand_over, times = (
                MailServer(*wanted.smtp).hand_over,
                Times(wanted.every, borne.slow, borne.canary),
            )
            canaries = Canaries(database, return_paths, name, hand_over, times, self._clock, metrics)
            self._life.callback(canaries.close)
            yield loop("canary", canaries.run, canaries.stop)

    def _summary(self, database: Database, watchman: Watchman) -> Iterator[Loop]:
        if told := self._config.summary:
            head = Letterhead(told.to, told.sender, self._config.verp.domain)
            send = MailServer(*told.smtp).send
            summary = Summary(database, head, (told.weekday, told.hour), send, watchman, self._clock)
            self._life.callback(summary.close)
            yield loop("summary", summary.run, summary.stop)

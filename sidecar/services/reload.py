"""Take over, while it runs, what may change without a restart: all of it at one instant, or nothing.

Knows what may change, and what is said about it. Does not know files, nor how a wiki is reached. Needs no
database, so that a node which only signs can be told of a new key, too.

The swap happens between two awaits: what is under way ends with what it began with.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from sidecar.domain.brake import Limits
from sidecar.domain.classify import RuleBook
from sidecar.domain.policy import Policy
from sidecar.domain.verp import Verp
from sidecar.telemetry import Metrics, report
from sidecar.threads import Room

__all__ = ["Manager", "Orders", "Reload", "Unusable", "Wikis"]

log = structlog.get_logger()


class Unusable(Exception):
    """What was read cannot be used. Mend every one of its problems, and reload again."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Wikis:
    """A set of wikis, by their ids; the same in both."""

    ways: Mapping[str, Hashable] = field(default_factory=dict)  #: how each is reached; equal: as before
    policies: Mapping[str, Policy] = field(default_factory=dict)


@dataclass(frozen=True)
class Orders:
    """What may change while it runs, and what may not."""

    verp: Verp  #: knows *wikis*
    wikis: Wikis
    limits: Limits
    rules: RuleBook
    log_level: str
    fixed: Mapping[str, Hashable]  #: what a restart alone can change, by its name in the configuration


class Manager(Protocol):
    """Who waits to be told that we reload."""

    def reloading(self) -> None: ...
    def reloaded(self, status: str) -> None: ...


async def _by_nobody_else() -> None:
    """There are none."""


class Reload:
    """The only one who changes orders. One reading at a time, however often the bell is rung."""

    def __init__(
        self,
        begun: Orders,
        load: Callable[[], Orders],  #: blocks; raises Unusable
        use: Callable[[Orders], None],  #: hands each part its own; raises before it has begun, or not at all
        manager: Manager,
        metrics: Metrics,
        used: Callable[[], Awaitable[None]] = _by_nobody_else,  #: waits for other processes that take over
    ) -> None:
        self._load, self._use, self._manager, self._metrics = load, use, manager, metrics
        self._used = used
        self._fixed = begun.fixed
        self.orders = begun  #: in force
        self._bell = asyncio.Event()
        self._reading = Room("reload")  # a table of rules takes some 0.1 s; the wiki does not wait for it

    def ring(self) -> None:
        """Files may have changed."""
        self._bell.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            try:
                await self.round()
            except Exception as error:
                report(log, "reload failed", error)

    async def round(self) -> bool:
        """Read all of it once; whether it is in force now."""
        refused = 0
        self._manager.reloading()
        try:
            read = await self._reading.run(self._load)
            self._take_over(read)
            await self._used()
        except Unusable as error:
            refused = len(error.problems)
            for problem in error.problems:
                log.error("reload refused", why=problem)
        except Exception:
            refused = 1
            raise
        finally:
            self._metrics.reloads.labels("refused" if refused else "loaded").inc()
            self._metrics.reload_good.set(not refused)
            status = f"reload refused, all is as before; problems: {refused}"
            self._manager.reloaded(status if refused else "")
        return not refused

    def _take_over(self, read: Orders) -> None:
        self._use(read)
        before, self.orders = self.orders, read
        _tell(before.wikis.ways, read)
        if waiting := [name for name, value in read.fixed.items() if self._fixed[name] != value]:
            log.warning("restart needed", settings=", ".join(waiting), why="they do not change at a reload")

    def close(self) -> None:
        """Waits for what is being read."""
        self._reading.close()


def _tell(before: Mapping[str, Hashable], orders: Orders) -> None:
    now = orders.wikis.ways
    added, gone = now.keys() - before.keys(), before.keys() - now.keys()
    changed = [wiki for wiki in now.keys() & before.keys() if now[wiki] != before[wiki]]
    log.info(
        "reloaded",
        wikis=len(now),
        added=len(added),
        removed=len(gone),
        changed=len(changed),
        rules=len(orders.rules.rules),
    )
    for wiki in sorted(gone):
        log.warning("wiki removed", wiki=wiki, why="what is owed to it waits, its bounces are set aside")

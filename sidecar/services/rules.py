"""Read the rules again when told to, without a restart: a table that cannot be used changes nothing.

Knows when, and what is said about it. Does not know files, nor what a rule is.
"""

import asyncio
from collections.abc import Callable

import structlog

from sidecar.domain.classify import RuleBook, RuleError
from sidecar.telemetry import Metrics, report
from sidecar.threads import Room

__all__ = ["RuleReload"]

log = structlog.get_logger()


class RuleReload:
    """One at a time, however often the bell is rung."""

    def __init__(
        self, load: Callable[[], RuleBook], use: Callable[[RuleBook], None], metrics: Metrics
    ) -> None:
        self._load, self._use, self._results = load, use, metrics.rules_reloads
        self._bell = asyncio.Event()
        self._reading = Room("rules")  # patterns take some 0.1 s to compile; the wiki does not wait for it

    def ring(self) -> None:
        """The rules may have changed."""
        self._bell.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            try:
                await self.round()
            except Exception as error:
                report(log, "rules not read", error)

    async def round(self) -> bool:
        """Read them once; whether they are used now."""
        try:
            rules = await self._reading.run(self._load)
        except RuleError as error:
            self._results.labels("refused").inc()
            for problem in str(error).splitlines():
                log.error("rules refused", why=problem)
            return False
        self._use(rules)
        self._results.labels("loaded").inc()
        log.info("rules loaded", rules=len(rules.rules))
        return True

    def close(self) -> None:
        """Waits for what is being read."""
        self._reading.close()

"""Look at the farm's sitematrix now and then, and remember its wikis.

Knows when to look, what is said about it, and that nobody waits for it. Does not know HTTP, files, nor which
of the wikis are wanted.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sidecar.domain import sitematrix
from sidecar.domain.census import Census, NotBelieved, Unreadable, merged
from sidecar.domain.json_text import NotJson, parse
from sidecar.telemetry import report
from sidecar.threads import Room

__all__ = ["CensusTaker", "Look", "NotTaken", "Shelf"]

log = structlog.get_logger()

RECENT = timedelta(hours=1)  # within which a restart does not ask again
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=1)
EARLIER = 0.1  # of the time between two looks, by which nodes that were started together drift apart


class NotTaken(Exception):
    """The sitematrix was not had, or not believed. What was known holds; it is asked for again."""


@dataclass(frozen=True)
class Shelf:
    """Where the census lies. Both block."""

    load: Callable[[], Census | None]  #: raises Unreadable
    store: Callable[[Census], None]  #: raises OSError


@dataclass(frozen=True)
class Look:
    """How a sitematrix is asked for, and what for."""

    source: str
    fetch: Callable[[], Awaitable[bytes]]  #: raises NotTaken
    accept: timedelta  #: how old a return path may be
    every: timedelta = timedelta(days=1)


class CensusTaker:
    """The only one who writes the census, in this process."""

    def __init__(
        self,
        look: Look,
        shelf: Shelf,
        clock: Callable[[], datetime],
        jitter: Callable[[], float] = lambda: 0.0,  #: 0.0 to 1.0
        changed: Callable[[], None] = lambda: None,  #: there is something new on the shelf
    ) -> None:
        self._look, self._shelf, self._clock, self._jitter = look, shelf, clock, jitter
        self._changed, self._failures = changed, 0
        self._room = Room("census")

    async def run(self) -> None:
        """For ever. What fails is told and tried again; what is known holds meanwhile."""
        wait = await self.first_wait()
        while True:
            await asyncio.sleep(wait / timedelta(seconds=1))
            wait = await self.step()

    async def first_wait(self) -> timedelta:
        """How long after the start to look: at once, unless somebody has just looked."""
        try:
            before = await self._room.run(self._shelf.load)
        except Unreadable:
            return timedelta(0)
        if before is None or before.source != self._look.source:
            return timedelta(0)
        age = self._clock() - before.fetched
        return self._pause() - age if timedelta(0) <= age < RECENT else timedelta(0)

    async def step(self) -> timedelta:
        """Look once; returns how long to wait for the next time."""
        try:
            await self.round()
        except NotTaken as error:
            log.error("sitematrix not used", why=str(error))
        except Exception as error:
            report(log, "sitematrix not used", error)
        else:
            self._failures = 0
            return self._pause()
        self._failures += 1
        return min(FIRST_RETRY * (1 << min(self._failures - 1, 20)), LONGEST_RETRY)

    async def round(self, *, believe: bool = False) -> Census:
        """Look, and remember; *believe* it however many wikis are gone. Raises NotTaken."""
        content = await self._look.fetch()
        before, census = await self._room.run(lambda: self._enter(content, believe))
        old, new = (_what_matters(one) for one in (before, census))
        gone = len(census.wikis) - len(census.present)
        log.info("sitematrix", wikis=len(census.present), changes=len(new ^ old), gone=gone)
        if old != new:
            self._changed()
        return census

    def _enter(self, content: bytes, believe: bool) -> tuple[Census | None, Census]:
        """On the room's thread: what was known before, and what is now."""
        try:
            listed = sitematrix.read(parse(content))
        except NotJson:
            raise NotTaken(f"{self._look.source}: the answer is not JSON") from None
        except sitematrix.NotAMatrix as error:
            raise NotTaken(f"{self._look.source}: {error}") from None
        try:
            before = self._shelf.load()
        except Unreadable as error:
            log.warning("census lost", why=str(error))
            before = None
        source, now = self._look.source, self._clock()
        try:
            census = merged(before, listed, source, now, self._look.accept, believe=believe)
        except NotBelieved as error:
            raise NotTaken(f"{error}; if that is right, say `wikis refresh --believe`") from None
        try:
            self._shelf.store(census)
        except OSError as error:
            raise NotTaken(f"the cache cannot be written: {error.strerror or error}") from None
        return before, census

    def _pause(self) -> timedelta:
        return self._look.every * (1 - EARLIER * self._jitter())

    def close(self) -> None:
        """Waits for what is being written."""
        self._room.close()


def _what_matters(census: Census | None) -> set[object]:
    return {(known.listed, known.formerly) for known in census.wikis} if census else set()

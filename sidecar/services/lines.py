"""Lines to the wikis: opened at the first call, let go when nobody has called for a while.

Knows what is open and since when nobody used it. Does not know adapters, nor when a wiki may be called. A
wiki that is never called costs an entry in a table.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sidecar.domain.wiki import Wiki
from sidecar.services.places import ASIDE, CALLS
from sidecar.threads import Room

__all__ = ["Lines", "Way"]

R = TypeVar("R")

IDLE = timedelta(minutes=15)  # then the session goes; MediaWiki's own lives for an hour
MOST = 64  # lines that are kept for a next call; over https each has up to 1 MB, the certificates above all


@dataclass(frozen=True)
class Way:
    """How a wiki is reached, before anybody does."""

    open: Callable[[], Wiki] = field(compare=False, repr=False)
    login: str  #: keyed fingerprint of account and secret: the same for all wikis that share them
    settings: Hashable = field(default=None, repr=False)  #: with others, it is opened anew


@dataclass
class _Line:
    way: Way
    used: datetime
    wiki: Wiki | None = None  #: made on the thread of the first call


class Lines:
    """The lines of one process. All but what happens in the room is for the event loop's thread."""

    def __init__(self, ways: Mapping[str, Way]) -> None:
        self._ways = ways
        self._open: dict[str, _Line] = {}  # the longest unused first
        self._turns: dict[str, asyncio.Lock] = {}  # what is owed and what is asked may meet at one wiki
        self._room = Room("wiki", CALLS + ASIDE + 1)  # one to close; threads start when they are needed

    @property
    def ways(self) -> Mapping[str, Way]:
        return self._ways

    @property
    def opened(self) -> int:
        return len(self._open)

    def use(self, ways: Mapping[str, Way]) -> None:
        """From now on these; what is open stays open where nothing has changed."""
        self._ways = ways

    async def call(self, name: str, question: Callable[[Wiki], R], way: Way, now: datetime) -> R:
        """Put *question* to a wiki by its *way*, one at a time. Raises what the wiki raises."""
        async with self._turns.setdefault(name, asyncio.Lock()):
            line = self._open.pop(name, None)
            if line and line.way != way:
                await self._let_go(line)
                line = None
            kept = line or _Line(way, now)
            try:
                return await self._room.run(lambda: _ask(kept, question))
            finally:
                kept.used = now
                self._open[name] = kept

    async def let_go(self, now: datetime) -> None:
        """Close what nobody has used for long, or is too much."""
        old = [name for name, line in self._open.items() if now - line.used > IDLE]
        spare = list(self._open)[: max(0, len(self._open) - MOST)]
        left = [self._open.pop(name) for name in dict.fromkeys([*old, *spare])]
        for line in left:  # taken out first: closing one takes time, and another may be called meanwhile
            await self._let_go(line)

    async def _let_go(self, line: _Line) -> None:
        await self._room.run(lambda: _close(line))

    def close(self) -> None:
        """Waits for the calls that are under way."""
        self._room.close()
        for line in self._open.values():
            _close(line)
        self._open.clear()


def _ask(line: _Line, question: Callable[[Wiki], R]) -> R:
    line.wiki = line.wiki or line.way.open()
    return question(line.wiki)


def _close(line: _Line) -> None:
    if line.wiki:
        line.wiki.close()

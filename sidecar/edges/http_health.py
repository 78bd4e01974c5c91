"""/healthz and /readyz, for everybody.

Knows how long it waits for the one who knows. Does not know what readiness is.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sidecar.edges import replies
from sidecar.edges.http_talk import Answer, Asked, say

__all__ = ["Health"]

PATIENCE = 3.0  # seconds; who watches asks again soon


class Health:
    """*why_not* says why nothing can be booked, "" if it can. One asks it, however many ask us."""

    def __init__(self, why_not: Callable[[], Awaitable[str]], *, patience: float = PATIENCE) -> None:
        self._why_not, self._patience = why_not, patience
        self._asking: asyncio.Future[str] | None = None

    async def alive(self, _: Asked) -> Answer:
        """That this is answered is the proof."""
        return say(replies.ALIVE)

    async def ready(self, _: Asked) -> Answer:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._why_not())
        done, _pending = await asyncio.wait({self._asking}, timeout=self._patience)  # one who hangs may go on
        why = self._asking.result() if done else "The database does not answer"
        return say(replies.not_ready(why)) if why else say(replies.READY)

"""Notes: a node without a database tells one that has one what it has signed, so that it shows what arrived.

Knows that it is beside the way of the mail: what is lost is a proof that mail arrives, and nothing else. Does
not know who is watched: whoever is told does. Does not know HTTP.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sidecar.domain.send import Send
from sidecar.domain.verp import Verp
from sidecar.services.beat import Beat, hand_over
from sidecar.services.watched import ROOM, Signing, Watched
from sidecar.telemetry import Metrics

__all__ = ["Notes", "Signed"]

BATCH = 1000  # mails of one request; some 100 KiB


class Signed(Watched):
    """Everybody's mails, as nobody here knows who is watched."""

    everybody = True

    def signed(self, wiki: str, user_id: int, verp: Verp, return_path: str, now: datetime) -> None:
        """A return path was handed out; neither blocks nor waits."""
        if len(self.signings) < ROOM:
            self.signings.append(Signing(verp, wiki, user_id, return_path, now))
        else:
            self.lost.inc()


class Notes:
    """Tells what was signed, once a second. What cannot be told waits, as much as there is room for."""

    def __init__(
        self,
        tell: Callable[[list[Send]], Awaitable[None]],  #: raises whatever hinders it
        metrics: Metrics,
    ) -> None:
        self._tell = tell
        self._told = metrics.sends.labels("told")
        self.signed = Signed(metrics)
        self._beat = Beat("notes not told", self.signed.signings)

    async def run(self) -> None:
        """Until ``stop``, and then once more. What fails is logged and tried again."""
        await self._beat.run(self.flush, self.flush)

    def stop(self) -> None:
        """Let ``run`` end; the last are told."""
        self._beat.stop()

    async def flush(self) -> int:
        """Tell what was signed; returns how much."""
        own = await hand_over(self.signed.signings, BATCH, self._tell_own)
        return own + await hand_over(self.signed.told, BATCH, self._tell_of)

    async def _tell_own(self, signings: list[Signing]) -> None:
        await self._tell_of([signing.send() for signing in signings])

    async def _tell_of(self, mails: list[Send]) -> None:
        await self._tell(mails)
        self._told.inc(len(mails))

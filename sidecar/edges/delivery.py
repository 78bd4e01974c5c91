"""Mail on its way from a door to the intake.

Knows that whatever goes wrong there is temporary, and that work goes on when nobody waits for it any more.
Does not know what any door says for a receipt (see replies.py).
"""

import asyncio
import time

import structlog

from sidecar.services.receipt import Intake, Receipt, Received
from sidecar.telemetry import Door, Metrics, report

__all__ = ["Deliveries", "take"]

log = structlog.get_logger()


async def take(intake: Intake, received: Received) -> Receipt | None:
    """How it ended; None for trouble: then it was not booked, or nobody knows."""
    try:
        return await intake.take(received)
    except Exception as error:  # a door: unforeseen is temporary
        report(log, "intake failed", error)
        return None


class Deliveries:
    """Hands mail to the intake, so much at once, and waits for so long. Nothing is cancelled half-way."""

    def __init__(self, intake: Intake, *, unfinished: int, door: Door | None = None) -> None:
        self._intake, self._unfinished = intake, unfinished
        self._door = door or Door(Metrics(), "http")
        self._took = self._door.mail().observe
        self._works: set[asyncio.Task[Receipt | None]] = set()

    def __len__(self) -> int:
        """Those included for which nobody waits any more."""
        return len(self._works)

    async def take(self, received: Received, patience: float) -> Receipt | None:
        """How it ended; None for trouble, which includes being late by more than *patience* seconds."""
        if len(self._works) >= self._unfinished:
            log.warning("intake does not keep up", unfinished=len(self._works))
            self._door.full.inc()
            return None
        began = time.perf_counter()
        work = asyncio.create_task(take(self._intake, received))
        self._works.add(work)
        work.add_done_callback(self._works.discard)
        done, _ = await asyncio.wait({work}, timeout=patience)  # leaves what is late at work
        self._took(time.perf_counter() - began)
        if not done:
            log.warning("intake is late", recipients=1, patience=patience)
            self._door.late.inc()
            return None
        receipt = work.result()
        if receipt is None:
            self._door.trouble.inc()
        return receipt

    async def finished(self) -> None:
        """Waits until nothing is at work."""
        while self._works:
            await asyncio.wait(set(self._works))

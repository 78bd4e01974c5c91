"""What was refused at RCPT: each is counted, and told in the log as long as they are few.

Knows how much a journal should bear: whoever can reach the mail server can have a thousand forged recipients
refused a second. Does not know who was asked, nor why anything is refused.
"""

import asyncio
from collections import Counter

import structlog

from sidecar.services.receipt import Receipt
from sidecar.telemetry import Metrics

__all__ = ["LAP", "TOLD", "Refusals"]

TOLD = 20  # lines for each receipt in a lap; the rest of them is told as a number
LAP = 60.0  # seconds; so a flood costs the journal 21 lines a minute for each receipt, and nothing is hidden

log = structlog.get_logger()


class Refusals:
    """One for all doors, so that a recipient counts once and a flood is one flood."""

    def __init__(self, metrics: Metrics, every: float = LAP) -> None:
        self._every = every
        self._counts = {receipt: metrics.refused.labels(receipt) for receipt in Receipt if receipt.refused}
        self._lap: Counter[Receipt] = Counter()

    def note(self, receipt: Receipt, why: str) -> None:
        """Neither blocks nor waits."""
        self._counts[receipt].inc()
        self._lap[receipt] += 1
        if self._lap[receipt] <= TOLD:
            log.info("refused", receipt=str(receipt), why=why)

    def note_more(self, receipt: Receipt, number: int) -> None:
        """So many more, of which nobody says why."""
        self._counts[receipt].inc(number)
        self._lap[receipt] += number

    def sum_up(self) -> None:
        """Tell how many were not told one by one, and begin a new lap."""
        for receipt, number in self._lap.items():
            if number > TOLD:
                log.warning("refused more", receipt=str(receipt), number=number - TOLD)
        self._lap.clear()

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(self._every)
            self.sum_up()

"""Who reads the mail that comes in: two threads, and in a crowd another process, on another core.

Knows when the other process is worth its memory, and what is done when it is lost. Does not know how a mail
is read (reading.py), nor frames and signals (hand.py). No mail depends on the other process: what it does not
answer is read here.
"""

import asyncio
import pickle
import time
from typing import Self

import structlog

from sidecar.processes.hand import Hand, Lost
from sidecar.processes.ties import cores
from sidecar.services.reading import Reader, Understood
from sidecar.storage.entries import Notice
from sidecar.telemetry import report
from sidecar.threads import Room

__all__ = ["Readers"]

THREADS = 2
CROWD = THREADS + 1  # mails at once: one waits
IDLE = 300.0  # seconds without a crowd after which the other process ends
AGAIN = 60.0  # seconds after which another one is begun when one was lost
LARGE = 256 * 1024  # octets of a mail that is read here: what takes seconds holds up nobody but a thread
MOST = 64  # mails that wait for the other process; an MTA opens some 20 sessions

log = structlog.get_logger()


class Readers:
    """Reads each mail by the reader that is given with it, wherever that is done."""

    def __init__(self, *, spare_core: bool = False, idle: float = IDLE, again: float = AGAIN) -> None:
        """*spare_core*: another process would have one for itself."""
        self._threads = Room("reader", THREADS)
        self._spare_core, self._idle, self._again = spare_core, idle, again
        self._at_work = 0
        self._crowded = self._not_before = time.monotonic()
        self._hand: Hand | None = None
        self._reader: Reader | None = None  # by which the other process reads
        self._copy = b""  # of that
        self._beginning: asyncio.Task[None] | None = None

    @classmethod
    def all(cls) -> Self:
        """With the other process, where there is a core for it."""
        return cls(spare_core=cores() > 1)

    @property
    def apart(self) -> int | None:
        """The other process, by its number; None if there is none."""
        return self._hand.pid if self._hand else None

    async def understand(self, reader: Reader, entry: Notice) -> Understood:
        """What *reader* makes of it, packed. Raises VerpError, or NoThread."""
        self._at_work += 1
        try:
            if self._at_work >= CROWD:
                self._more()
            if apart := await self._read_apart(reader, entry):
                return apart
            return await self._threads.run(lambda: reader.understand(entry))
        finally:
            self._at_work -= 1

    def use(self, reader: Reader) -> None:
        """Another process reads by this one from now on. It has not read anything yet: no copy can be made
        while a thread reads. What a process before is at is read here.
        """
        self._let_go()
        self._reader = reader
        self._copy = pickle.dumps(reader.examine) if self._spare_core else b""

    def close(self) -> None:
        """Waits for what is being read."""
        hand = self._hand
        self._let_go()
        if hand:
            hand.close()
        self._threads.close()

    def _more(self) -> None:
        """There is a crowd."""
        self._crowded = now = time.monotonic()
        if self._copy and not self._hand and not self._beginning and now >= self._not_before:
            self._beginning = asyncio.create_task(self._begin(), name="reading process")

    async def _begin(self) -> None:
        try:
            self._hand = hand = await Hand.begin(self._copy)
            self._rest(hand)
            log.info("reading apart", pid=hand.pid)
        except Exception as error:
            self._not_before = time.monotonic() + self._again
            report(log, "not reading apart", error)
        finally:
            if self._beginning is asyncio.current_task():
                self._beginning = None

    def _let_go(self) -> None:
        hand, self._hand = self._hand, None
        if hand:
            hand.end()
        if self._beginning:
            self._beginning.cancel()
            self._beginning = None

    async def _read_apart(self, reader: Reader, entry: Notice) -> Understood | None:
        """None if it is to be read here."""
        hand = self._hand
        if not hand or reader is not self._reader or len(entry.raw) > LARGE or hand.waiting >= MOST:
            return None
        try:
            read: Understood | None = await hand.do(entry)
            return read
        except Lost:
            self._miss(hand)
            return None

    def _miss(self, hand: Hand) -> None:
        if hand is self._hand:  # nobody has let it go
            self._hand, self._not_before = None, time.monotonic() + self._again
            log.warning("no longer reading apart", pid=hand.pid)

    def _rest(self, hand: Hand) -> None:
        """End it if there was no crowd for long; else look again."""
        if hand is not self._hand:
            return
        left = self._crowded + self._idle - time.monotonic()
        if left > 0:
            asyncio.get_running_loop().call_later(left, self._rest, hand)
        else:
            self._let_go()

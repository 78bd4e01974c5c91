"""Mails of our own to the operators: how they are headed, and that each leaves at most once.

Knows letterheads and terms: a digest's is a day, a summary's a week. Does not know what is told, nor SMTP:
whoever is given sends.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import structlog

from sidecar.domain.address import domain_of
from sidecar.services.posting import CannotSend
from sidecar.services.rounds import rounds
from sidecar.storage import digests
from sidecar.storage.database import Database
from sidecar.threads import Room

__all__ = ["Letterhead", "Letters", "letter"]

log = structlog.get_logger()

# Python may fold a subject right behind its name, and some readers show the blank; RFC 5322 allows 998.
ON_ONE_LINE = SMTP.clone(max_line_length=200)
EVERY = 300.0  # seconds; how soon it is tried again, and how late after the hour it may leave


@dataclass(frozen=True)
class Letterhead:
    """From whom, to whom, and from which sidecar."""

    to: tuple[str, ...]
    sender: str
    origin: str  #: the domain of the return paths: operators may run several sidecars


def letter(head: Letterhead, now: datetime, subject: str, name: str, lines: Iterable[str]) -> EmailMessage:
    """A mail that nothing answers. Pure.

    Its Message-ID is of *name*: should a mail server get it twice, it can tell.
    """
    mail = EmailMessage(policy=ON_ONE_LINE)
    mail["From"], mail["To"] = head.sender, ", ".join(head.to)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{name}.{head.origin}@{domain_of(head.sender)}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: nobody's vacation answers this
    mail.set_content("\n".join(lines) + "\n")
    return mail


class Letters(ABC):
    """Sends one a term at most, over restarts and nodes too (see storage/digests.py)."""

    name: str  #: what the log calls it

    def __init__(
        self,
        database: Database,
        head: Letterhead,
        send: Callable[[EmailMessage], None],  #: blocking; raises CannotSend
        clock: Callable[[], datetime],
    ) -> None:
        self._db, self._head, self._send, self._clock = database, head, send, clock
        self._post = Room(self.name)
        self._stopping = asyncio.Event()
        self._complained = ""

    def stop(self) -> None:
        """Let ``run`` end once what is being sent is entered."""
        self._stopping.set()

    async def run(self) -> None:
        """Until ``stop``. A round that fails is logged."""
        await rounds(f"{self.name} failed", self.round, EVERY, self._stopping)

    @abstractmethod
    async def round(self) -> bool:
        """Send the mail of this term, if it is time and there is something to tell; whether it was sent."""

    async def deliver(self, term: str, mail: EmailMessage, now: datetime, **facts: object) -> bool:
        """Send the mail of a term that has been taken; give the term back if nobody takes the mail.

        The same complaint is logged once.
        """
        try:
            await self._post.run(lambda: self._send(mail))
        except CannotSend as error:
            await self._db.write(lambda connection: digests.give_back(connection, term))
            if self._complained != (why := f"{term}: {error}"):
                log.error(f"{self.name} not sent", why=str(error), **facts)
            self._complained = why
            return False
        await self._db.write(lambda connection: digests.mark_sent(connection, term, now))
        self._complained = ""
        log.info(self.name, **facts)
        return True

    def close(self) -> None:
        """Waits for what is being sent."""
        self._post.close()

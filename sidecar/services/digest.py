"""The daily digest: one mail that tells the operators what was set aside, and none if nothing was.

Knows the hour, what is told, and that a day has one mail at most. Does not know SMTP: whoever is given sends.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import sqlalchemy as sa
import structlog

from sidecar.domain.address import domain_of
from sidecar.domain.harmless import harmless
from sidecar.services.posting import CannotSend
from sidecar.storage import aside, digests
from sidecar.storage.aside import Aside
from sidecar.storage.database import Database
from sidecar.telemetry import report
from sidecar.threads import Room

__all__ = ["Digest", "Letterhead", "compose"]

log = structlog.get_logger()

EVERY = 300.0  # seconds; how soon it is tried again, and how late after the hour it may leave
ENTERED = timedelta(minutes=2)  # by then what came is in the history, or will come again
MOST_IDS = 20  # of one group; who needs more asks `aside list`
MOST_GROUPS = 100  # a mail that nobody reads to the end helps nobody


@dataclass(frozen=True)
class Letterhead:
    """From whom, to whom, and from which sidecar."""

    to: tuple[str, ...]
    sender: str
    origin: str  #: the domain of the return paths: operators may run several sidecars


def compose(waiting: Sequence[Aside], head: Letterhead, now: datetime) -> EmailMessage:
    """The mail about *waiting*, grouped by reason and domain. Pure; says nothing of what the mails said.

    Its Message-ID is of the day: should a mail server get it twice, it can tell.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for entry in waiting:
        groups[entry.why, entry.domain].append(entry.id)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    lines = [
        f"Set aside since the last digest, because nobody understood it: {len(waiting)}.",
        "It counts against nobody, and waits for a person.",
        "",
        *(_line(*group) for group in ordered[:MOST_GROUPS]),
        *([f"... and {len(ordered) - MOST_GROUPS} more groups"] if len(ordered) > MOST_GROUPS else []),
        "",
        "To read one:                     bounce-sidecar aside show ID",
        "When a rule or the wiki is new:  bounce-sidecar aside reread",
    ]
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = head.sender, ", ".join(head.to)
    mail["Subject"] = f"Set aside by the bounce sidecar of {head.origin}: {len(waiting)}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<set-aside.{now:%Y-%m-%d}.{head.origin}@{domain_of(head.sender)}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: nobody's vacation answers this
    mail.set_content("\n".join(lines) + "\n")
    return mail


def _line(group: tuple[str, str], ids: list[int]) -> str:
    why, domain = group
    shown = ", ".join(map(str, ids[:MOST_IDS])) + (", ..." if len(ids) > MOST_IDS else "")
    return f"{len(ids):6}  {harmless(why)}; {harmless(domain) or 'no domain'}; id {shown}"


class Digest:
    """Sends it at most once a day, over restarts too (see storage/digests.py)."""

    def __init__(
        self,
        database: Database,
        head: Letterhead,
        hour: int,
        send: Callable[[EmailMessage], None],  #: blocking; raises CannotSend
        clock: Callable[[], datetime],
    ) -> None:
        self._db, self._head, self._hour, self._send, self._clock = database, head, hour, send, clock
        self._post = Room("digest")
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let ``run`` end once what is being sent is entered."""
        self._stopping.set()

    async def run(self) -> None:
        """Until ``stop``. A round that fails is logged."""
        while not self._stopping.is_set():
            try:
                await self.round()
            except Exception as error:
                report(log, "digest failed", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY)

    async def round(self) -> bool:
        """Send the mail of today, if it is time and there is something to tell; whether it was sent."""
        now = self._clock()
        day = f"{now:%Y-%m-%d}"
        if now.hour < self._hour:
            return False
        waiting = await self._db.write(lambda connection: _begin(connection, day, now))
        if not waiting:
            return False
        mail = compose(waiting, self._head, now)
        try:
            await self._post.run(lambda: self._send(mail))
        except CannotSend as error:
            await self._db.write(lambda connection: digests.give_back(connection, day))
            log.error("digest not sent", why=str(error), mails=len(waiting))
            return False
        await self._db.write(lambda connection: digests.mark_sent(connection, day, now))
        log.info("digest", mails=len(waiting))
        return True

    def close(self) -> None:
        """Waits for what is being sent."""
        self._post.close()


def _begin(connection: sa.Connection, day: str, now: datetime) -> list[Aside]:
    """Take the day, and see what there is to tell; nothing if the day is taken."""
    told = digests.told_through(connection)
    until = digests.complete_through(connection, now - ENTERED)
    waiting = [one for one in aside.entries(connection, after=told) if until is None or one.id <= until]
    return waiting if digests.begin(connection, day, waiting[-1].id if waiting else told) else []

"""The daily digest: one mail that tells the operators what was set aside, and none if nothing was.

Knows the hour, what is told, and that a day has one mail at most. Does not know how it leaves.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage

import sqlalchemy as sa

from sidecar.domain.harmless import harmless
from sidecar.services.letters import Letterhead, Letters, letter
from sidecar.storage import aside, digests
from sidecar.storage.aside import Aside
from sidecar.storage.database import Database

__all__ = ["Digest", "compose"]

ENTERED = timedelta(minutes=2)  # by then what came is in the history, or will come again
MOST_IDS = 20  # of one group; who needs more asks `aside list`
MOST_GROUPS = 100  # a mail that nobody reads to the end helps nobody


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
    subject = f"Set aside by the bounce sidecar of {head.origin}: {len(waiting)}"
    return letter(head, now, subject, f"set-aside.{now:%Y-%m-%d}", lines)


def _line(group: tuple[str, str], ids: list[int]) -> str:
    why, domain = group
    shown = ", ".join(map(str, ids[:MOST_IDS])) + (", ..." if len(ids) > MOST_IDS else "")
    return f"{len(ids):6}  {harmless(why)}; {harmless(domain) or 'no domain'}; id {shown}"


class Digest(Letters):
    """Sends it at most once a day."""

    name = "digest"

    def __init__(
        self,
        database: Database,
        head: Letterhead,
        hour: int,
        send: Callable[[EmailMessage], None],
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(database, head, send, clock)
        self._hour = hour

    async def round(self) -> bool:
        """Send the mail of today, if it is time and there is something to tell; whether it was sent."""
        now = self._clock()
        day = f"{now:%Y-%m-%d}"
        if now.hour < self._hour:
            return False
        waiting = await self._db.write(lambda connection: _begin(connection, day, now))
        if not waiting:
            return False
        return await self.deliver(day, compose(waiting, self._head, now), now, mails=len(waiting))


def _begin(connection: sa.Connection, day: str, now: datetime) -> list[Aside]:
    """Take the day, and see what there is to tell; nothing if the day is taken."""
    told = digests.told_through(connection)
    until = digests.complete_through(connection, now - ENTERED)
    waiting = [one for one in aside.entries(connection, after=told) if until is None or one.id <= until]
    return waiting if digests.begin(connection, day, waiting[-1].id if waiting else told) else []

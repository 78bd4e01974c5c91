"""The weekly summary: one mail that tells how the week went beside the week before, and what is wrong now.

Knows the weekday, the hour, and what is gathered. Does not know the words: summary_text.py.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage

import sqlalchemy as sa

from sidecar.services.letters import Letterhead, Letters, letter
from sidecar.services.statistics import By, statistics
from sidecar.services.summary_text import Half, Week, subject, text
from sidecar.services.vitals import Watchman
from sidecar.storage import digests, rates, weeks
from sidecar.storage.database import Database

__all__ = ["Summary", "due", "look_back", "summary_letter"]

DAY = timedelta(days=1)


def due(now: datetime, weekday: int, hour: int) -> datetime:
    """When the last summary was to be sent."""
    at = datetime.combine(now.date() - (now.weekday() - weekday) % 7 * DAY, time(hour), UTC)
    return at if at <= now else at - 7 * DAY


async def look_back(database: Database, watchman: Watchman, day: date) -> Week:
    """The seven days before *day*, the seven before those, and what is wrong now."""
    found = await watchman.look()
    this, last = await database.read(
        lambda connection: (_half(connection, day), _half(connection, day - 7 * DAY))
    )
    return Week(this, last, tuple(found.troubles), found.vitals.aside)


def summary_letter(week: Week, head: Letterhead, now: datetime, name: str) -> EmailMessage:
    """The mail. Pure."""
    return letter(head, now, subject(week), name, text(week, head.origin))


class Summary(Letters):
    """Sends it at most once a week."""

    name = "summary"

    def __init__(
        self,
        database: Database,
        head: Letterhead,
        when: tuple[int, int],  #: weekday (0 is Monday) and hour, UTC
        send: Callable[[EmailMessage], None],
        watchman: Watchman,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(database, head, send, clock)
        self._when, self._watchman = when, watchman

    async def round(self) -> bool:
        """Send the mail that was due last, however late; none of a week of which nothing is known.

        It is composed before the week is taken: should that fail, it is tried again.
        """
        now = self._clock()
        day = due(now, *self._when).date()
        week_of = f"{day:%G-W%V}"
        if not await self._db.read(lambda connection: _wanted(connection, week_of, day)):
            return False
        week = await look_back(self._db, self._watchman, day)
        mail = summary_letter(week, self._head, now, f"summary.{week_of}")
        if not await self._db.write(lambda connection: digests.begin(connection, week_of, 0)):
            return False
        return await self.deliver(week_of, mail, now, week=week_of)


def _wanted(connection: sa.Connection, week_of: str, day: date) -> bool:
    known = rates.kept_since(connection)
    return known is not None and known < day and not digests.taken(connection, week_of)


def _half(connection: sa.Connection, day: date) -> Half:
    first, last = day - 7 * DAY, day - DAY
    since, until = (datetime.combine(at, time(0), UTC) for at in (first, day))
    days, providers, categories, wikis = (
        statistics(connection, by, first, last) for by in (By.DAY, By.PROVIDER, By.CATEGORY, By.WIKI)
    )
    return Half(
        first,
        last,
        days.total,
        providers.rows,
        categories.rows,
        wikis.rows,
        weeks.set_aside(connection, since, until),
        weeks.refused(connection, since, until),
        tuple(weeks.braked(connection, since, until)),
    )

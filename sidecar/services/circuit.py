"""Circuits: a wiki in trouble is left alone for a while, and so is a login that was refused.

Knows how long, and who shares a login. Does not know what a wiki is asked, nor what the secret is. Without
it, a thousand waiting actions would each try a wiki that is down, and a wrong password would lock the
account: MediaWiki counts tries by account and address, on a farm for all its wikis together, and after five
in five minutes it refuses even the right one.

Names in the table:

    enwiki       the wiki is down, misconfigured, or has refused a login: another password is tried at once
    * 3f9c...    so many wikis have refused this login, and none has accepted it since

A login that no wiki has accepted yet (since we run) is shown to OPINIONS wikis at the most. If they all
refuse it, the others that share it wait, too, and one is asked every five minutes. As soon as one accepts
it, it is good, and whoever refuses it is asked alone.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.vitals import Ailment
from sidecar.domain.wiki import (
    CertificateRefused,
    LoginRefused,
    LoginThrottled,
    WikiError,
    WikiMisconfigured,
    WikiUnavailable,
)
from sidecar.services.lines import Way
from sidecar.services.places import Places
from sidecar.storage import circuits, claims
from sidecar.storage.circuits import SHARED, Standing

__all__ = ["FORGOTTEN", "OPINIONS", "OUTAGE", "Circuits", "Pauses", "Rows", "lasts", "row_of"]


OUTAGE = 3  # failures in a row: the wiki, not one user's row that it cannot save
OPINIONS = 3  # wikis that may refuse a login before it counts as wrong: MediaWiki's throttle falls after five
OLD = timedelta(hours=1)  # after which nobody has a password that was refused then
#: After which nobody says of a wiki or a login that it is in trouble: whom anything is owed is called every
#: nine hours at least (dispatch.py), so that nobody has called this one, and nobody knows.
FORGOTTEN = timedelta(hours=12)

Rows = Mapping[str, Standing]

#: The first that fits.
AILMENTS: Mapping[type[WikiError], Ailment] = {
    LoginRefused: Ailment.LOGIN,
    CertificateRefused: Ailment.CERTIFICATE,
    WikiMisconfigured: Ailment.MISCONFIGURED,
    WikiError: Ailment.UNAVAILABLE,
}


@dataclass(frozen=True)
class Pauses:
    """How long a wiki is left alone."""

    first: timedelta = timedelta(seconds=5)  #: after one failure; doubles with each that follows
    longest: timedelta = timedelta(minutes=5)
    misconfigured: timedelta = timedelta(minutes=5)  #: $wgPasswordAttemptThrottle counts 5 in 300 s


class Circuits:
    """What the rows mean, and which logins have been good since this process runs."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._accepted: dict[str, str] = {}  # wiki -> the login that it took last
        self._good: set[str] = set()  # logins that some wiki took

    def closed(self, rows: Rows, ways: Mapping[str, Way], now: datetime) -> set[str]:
        """The wikis that are left alone now."""
        still = [row for row in rows.values() if lasts(row, now)]
        found = {
            row.name for row in still if row.name in ways and row.credential in ("", ways[row.name].login)
        }
        held = {row.name.removeprefix(SHARED) for row in still if row.name.startswith(SHARED)}
        return found | self._unproven(held, ways)

    @staticmethod
    def on_probation(rows: Rows, ways: Mapping[str, Way]) -> set[str]:
        """The wikis that failed the last time, left alone or not."""
        return {
            wiki for wiki, row in rows.items() if wiki in ways and row.credential in ("", ways[wiki].login)
        }

    def untried(self, rows: Rows, ways: Mapping[str, Way], places: Places) -> set[str]:
        """The wikis that wait until others have said what they think of a login that they share."""
        asked = Counter(
            ways[wiki].login
            for wiki in places.prompt
            if wiki in ways and self._accepted.get(wiki) != ways[wiki].login
        )
        waiting = set()
        for login, calls in asked.items():
            row = rows.get(SHARED + login)
            refusals = row.failures if row else 0
            if (row or login not in self._good) and calls >= max(1, OPINIONS - refusals):
                waiting.add(login)
        return self._unproven(waiting, ways)

    def _unproven(self, logins: set[str], ways: Mapping[str, Way]) -> set[str]:
        """Those that would log in with one of these; whoever has accepted it goes on."""
        if not logins:
            return set()
        return {
            wiki
            for wiki, way in ways.items()
            if way.login in logins and self._accepted.get(wiki) != way.login
        }

    @staticmethod
    def changed(rows: Rows, ways: Mapping[str, Way]) -> set[tuple[str, str]]:
        """The wikis that have refused a login which is another one by now, each with what it refused."""
        return {
            (wiki, row.credential)
            for wiki, row in rows.items()
            if row.credential and wiki in ways and row.credential != ways[wiki].login
        }

    def learn(self, wiki: str, login: str, error: WikiError | None) -> bool:
        """How a call ended, for what only this process remembers; True if the login was proven by it."""
        known = self._accepted.get(wiki) == login
        if isinstance(error, LoginRefused):
            if known:  # it was good, and here it is no more: who else has changed is not known
                self._good.discard(login)
                self._accepted = {other: taken for other, taken in self._accepted.items() if taken != login}
            return False
        if error:  # a wrong URL, say, is misconfigured and has seen no login
            return False
        self._accepted[wiki] = login
        self._good.add(login)
        return not known

    def failed(
        self, connection: sa.Connection, wiki: str, login: str, error: WikiError, now: datetime
    ) -> timedelta:
        """Leave it alone; returns for how long."""
        circuits.tidy(connection, now - FORGOTTEN)
        refused = isinstance(error, LoginRefused)
        if refused and login not in self._good:
            failures = _failures(connection, SHARED + login) + 1
            pause = self._pauses.misconfigured if failures >= OPINIONS else timedelta(0)
            _note(connection, SHARED + login, error, now, pause, failures)
        if isinstance(error, LoginThrottled):
            pause = max(self._asked(error), self._pauses.misconfigured)
            _note(connection, SHARED + login, error, now, pause, OPINIONS)
        failures = _failures(connection, wiki) + 1
        pause = self._pause(failures, error)
        _note(connection, wiki, error, now, pause, failures, login if refused else "")
        return pause

    def _pause(self, failures: int, error: WikiError) -> timedelta:
        if isinstance(error, WikiMisconfigured):
            return self._pauses.misconfigured
        pause = min(self._pauses.first * (1 << min(failures - 1, 20)), self._pauses.longest)
        return max(pause, self._asked(error))

    def _asked(self, error: WikiError) -> timedelta:
        """How long the wiki itself wants to be left alone."""
        seconds = error.retry_after if isinstance(error, WikiUnavailable) else None
        return min(timedelta(seconds=seconds or 0), self._pauses.longest)

    @staticmethod
    def answered(connection: sa.Connection, wiki: str, login: str, now: datetime, *, proven: bool) -> bool:
        """It is well; True if what waits for it need wait no longer: it was down, or had refused the login.

        *proven*: it has taken the login just now, so that others need not be kept from it.
        """
        found = circuits.named(connection, [wiki, SHARED + login])
        own = found.get(wiki)
        if own and own.credential not in ("", login) and now - own.changed < OLD:
            own = None  # another node may have the old password still: it asks every five minutes
        well = [wiki] if own else []
        circuits.drop(connection, [*well, SHARED + login] if proven else well)
        return own is not None and (bool(own.credential) or own.failures >= OUTAGE)


def row_of(rows: Rows, wiki: str, login: str) -> Standing | None:
    """What a wiki suffers from: its own trouble, or that its login is held to be wrong.

    *login* is "" on a node that calls no wiki: what others have met is what it knows.
    """
    own, shared = rows.get(wiki), rows.get(SHARED + login)
    if own and (not login or own.credential in ("", login)):
        return own
    return shared if shared and shared.failures >= OPINIONS else None


def lasts(row: Standing, now: datetime) -> bool:
    """Whether it is left alone still. A row that a clock wrote which ran ahead is not believed."""
    return row.until is not None and row.until > now and row.changed <= now + claims.ASTRAY


def _failures(connection: sa.Connection, name: str) -> int:
    row = circuits.named(connection, [name]).get(name)
    return row.failures if row else 0


def _note(
    connection: sa.Connection,
    name: str,
    error: WikiError,
    now: datetime,
    pause: timedelta,
    failures: int,
    credential: str = "",
) -> None:
    before = circuits.named(connection, [name]).get(name)
    since = before.since or before.changed if before else now
    entry = Standing(name, failures, now + pause, str(error), now, credential, ailment_of(error), since)
    circuits.put(connection, entry)


def ailment_of(error: WikiError) -> Ailment:
    """What a wiki suffers from that has said this."""
    return next(ailment for kind, ailment in AILMENTS.items() if isinstance(error, kind))

"""Whose mails are noted: the part of watching that is on the way of each mail.

Knows who is watched, in memory, and keeps what was signed until somebody writes it down. Does not know the
history: watch.py does, and a process that only signs has none.
"""

from collections import Counter, deque
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, Protocol

from sidecar.domain.numbers import Numbers
from sidecar.domain.send import Send
from sidecar.domain.verp import Verp
from sidecar.telemetry import Metrics

__all__ = ["ROOM", "Follower", "Signing", "Users", "Watched"]

Users = dict[str, Numbers]  #: by wiki

ROOM = 10_000  # sends that wait to be written; some 4 MB


class Signing(NamedTuple):
    """A return path that was handed out."""

    verp: Verp  #: what signed: another key, or none for that wiki, may sign by now
    wiki: str
    user_id: int
    return_path: str
    at: datetime

    def send(self) -> Send:
        """What there is to remember of it."""
        tag, key_id = self.verp.signature(self.return_path, self.at)
        return Send(self.wiki, self.user_id, self.at.replace(microsecond=0), tag, key_id)


class Follower(Protocol):
    """Who signs, too, and has to know who is watched."""

    def watch(self, wiki: str, user_id: int, *, watched: bool) -> None: ...
    def watch_all(self, users: Users) -> None: ...


class Watched:
    """Whose mails are noted, and what waits to be."""

    everybody = False  #: whoever it is

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.users: Users = {}
        self.follower: Follower | None = None
        self.signings: deque[Signing] = deque()
        self.told: deque[Send] = deque()  #: what others have signed
        self.lost = (metrics or Metrics()).sends.labels("lost")
        #: of everybody: how many mails were signed, by wiki and day, until pulse.py has written it down
        self.numbers: Counter[tuple[str, date]] = Counter()
        self.last: datetime | None = None  #: when the last one was

    def watch(self, wiki: str, user_id: int, *, watched: bool = True) -> None:
        """From now on, this user is watched, or no longer."""
        users = self.users.setdefault(wiki, Numbers())
        if watched == (user_id in users):
            return
        users.add(user_id) if watched else users.discard(user_id)
        if self.follower:
            self.follower.watch(wiki, user_id, watched=watched)

    def watch_all(self, users: Users) -> None:
        """These and nobody else."""
        self.users = users
        if self.follower:
            self.follower.watch_all(users)

    def signed(self, wiki: str, user_id: int, verp: Verp, return_path: str, now: datetime) -> None:
        """A return path was handed out; neither blocks nor waits."""
        self._count(wiki, now)
        if user_id in self.users.get(wiki, ()):
            if len(self.signings) < ROOM:
                self.signings.append(Signing(verp, wiki, user_id, return_path, now))
            else:
                self.lost.inc()

    def signed_elsewhere(self, mail: Send) -> None:
        """A node without a database has handed out a return path."""
        self._count(mail.wiki, mail.sent)
        if mail.user_id in self.users.get(mail.wiki, ()):
            self.note([mail])

    def signed_here(self, numbers: Counter[tuple[str, date]], last: datetime | None) -> None:
        """A process of this node has handed out so many."""
        self.numbers.update(numbers)
        self._signed_at(last)

    def note(self, mails: Iterable[Send]) -> None:
        """Have mails written down that others have signed."""
        for mail in mails:
            if len(self.told) < ROOM:
                self.told.append(mail)
            else:
                self.lost.inc()

    def _count(self, wiki: str, sent: datetime) -> None:
        self.numbers[wiki, sent.date()] += 1
        self._signed_at(sent)

    def _signed_at(self, last: datetime | None) -> None:
        if last and (self.last is None or last > self.last):
            self.last = last

"""Replay: take archived mail in again, each at its own time, and see what would have been decided.

Knows the order and the clock. Does not know how archives are laid out, nor whether the database it writes to
is the real one or a scratch one that is thrown away. Mails are read and judged by several processes, which is
pure; they are booked one after the other, oldest first: the result is the same with any number of processes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from sidecar.domain import mime, notice
from sidecar.domain.canary import CANARY
from sidecar.domain.classify import Category, RuleBook
from sidecar.domain.verp import Verp
from sidecar.processes.crew import Crew
from sidecar.services.reading import Reader, Understood
from sidecar.services.receipt import Receipt, Received
from sidecar.services.recipient import find_recipient
from sidecar.services.return_path import ReturnPaths
from sidecar.storage import ledger
from sidecar.storage.actions import Entry, entries
from sidecar.storage.database import Database

__all__ = ["Archived", "Booker", "MailClock", "MailJudge", "Replayed", "replay"]

#: What becomes of a mail: it is refused, or comes to a return path of nobody's, or is to be booked.
Judged = Receipt | Received | Understood


@dataclass(frozen=True)
class Archived:
    """A mail in an archive."""

    name: str
    load: Callable[[], bytes]


class MailClock:
    """The time of the mail that is being replayed."""

    def __init__(self) -> None:
        self.time = datetime.fromtimestamp(0, UTC)

    def __call__(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class MailJudge:
    """Reads mails, each as of its own date. Pure; before its first mail other processes may get copies."""

    verp: Verp
    rules: RuleBook
    may_count: Mapping[str, frozenset[Category]]  #: which categories may be hard, by wiki

    @cached_property
    def _clock(self) -> MailClock:
        return MailClock()

    @cached_property
    def _paths(self) -> ReturnPaths:
        return ReturnPaths(self.verp, self._clock)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.verp, self.rules, self.may_count.__getitem__)

    def date(self, raw: bytes) -> datetime | None:
        """When it came, as it says itself; None if it does not."""
        return notice.date_of(mime.parse(raw[: mime.MAX_HEADER])) if raw else None

    def read(self, raw: bytes) -> Judged | None:
        """``judge`` as of the mail's own date; None if it has none."""
        date = self.date(raw)
        return self.judge((date, raw)) if date else None

    def judge(self, dated: tuple[datetime, bytes]) -> Judged | None:
        """What is in a mail, and whether it is for us; None of one that is gone by now."""
        self._clock.time, raw = dated
        if not raw:
            return None
        found = find_recipient(raw, self._paths)
        if isinstance(found, Receipt):
            return found
        token = self._paths.verify(found)
        if not isinstance(token, Receipt) and (token.wiki, token.user_id) == CANARY:
            return Received(found, "", raw)
        return self._reader.understand(ledger.Notice(found, raw, self._clock.time))


class Booker(Protocol):
    """The intake, as a replay needs it."""

    async def take(self, received: Received) -> Receipt: ...

    async def book(self, mail: Understood) -> Receipt: ...


@dataclass(frozen=True)
class Replayed:
    """What came of a replay."""

    receipts: Counter[Receipt] = field(default_factory=Counter)
    undated: list[str] = field(default_factory=list)  #: left out: nobody knows when they came
    unreadable: list[str] = field(default_factory=list)  #: files that could not be opened
    actions: list[Entry] = field(default_factory=list)


async def replay(
    archive: Iterable[Archived],
    crew: Crew[MailJudge],
    intake: Booker,
    clock: MailClock,
    database: Database,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Replayed:
    """Take every mail in, oldest first; *intake* must go by *clock*. Repeatable: a mail counts once."""
    result, mails = Replayed(), list(archive)
    dated: list[tuple[datetime, str, Archived]] = []
    dates = crew.do(MailJudge.date, (_load(mail, result) for mail in mails))
    for mail, date in zip(mails, dates, strict=True):
        if date:
            dated.append((date, mail.name, mail))
        elif mail.name not in result.unreadable:
            result.undated.append(mail.name)
    dated.sort(key=lambda entry: entry[:2])
    last = max([entry.id for entry in await database.read(entries)], default=0)
    judged = crew.do(MailJudge.judge, ((date, _load(mail, result)) for date, _, mail in dated))
    for done, one in enumerate(judged, 1):
        clock.time = dated[done - 1][0]
        if one is not None:
            result.receipts[await _book(one, intake)] += 1
        progress(done, len(dated))
    result.actions.extend(entry for entry in await database.read(entries) if entry.id > last)
    return result


def _load(mail: Archived, result: Replayed) -> bytes:
    try:
        return mail.load()
    except OSError:
        if mail.name not in result.unreadable:
            result.unreadable.append(mail.name)
        return b""


async def _book(judged: Judged, intake: Booker) -> Receipt:
    if isinstance(judged, Receipt):
        return judged
    return await (intake.book(judged) if isinstance(judged, Understood) else intake.take(judged))

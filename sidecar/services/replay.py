"""Replay: take archived mail in again, each at its own time, and see what would have been decided.

Knows the order and the clock. Does not know how archives are laid out, nor whether the database it writes to
is the real one or a scratch one that is thrown away.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sidecar.domain import mime, notice
from sidecar.services.receipt import Intake, Receipt, Received
from sidecar.services.recipient import find_recipient
from sidecar.storage.actions import Entry, entries
from sidecar.storage.database import Database

__all__ = ["Archived", "MailClock", "Replayed", "replay"]


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
class Replayed:
    """What came of a replay."""

    receipts: Counter[Receipt] = field(default_factory=Counter)
    undated: list[str] = field(default_factory=list)  #: left out: nobody knows when they came
    unreadable: list[str] = field(default_factory=list)  #: files that could not be opened
    actions: list[Entry] = field(default_factory=list)


async def replay(
    archive: Iterable[Archived],
    intake: Intake,
    clock: MailClock,
    database: Database,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Replayed:
    """Take every mail in, oldest first; *intake* must go by *clock*. Repeatable: a mail counts once."""
    result = Replayed()
    dated: list[tuple[datetime, str, Archived]] = []
    for mail in archive:
        if raw := _load(mail, result):
            if date := notice.date_of(mime.parse(raw[: mime.MAX_HEADER])):
                dated.append((date, mail.name, mail))
            else:
                result.undated.append(mail.name)
    last = max([entry.id for entry in await database.read(entries)], default=0)
    for done, (date, _, mail) in enumerate(sorted(dated, key=lambda entry: entry[:2]), 1):
        clock.time = date
        if raw := _load(mail, result):
            result.receipts[await _take(raw, intake)] += 1
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


async def _take(raw: bytes, intake: Intake) -> Receipt:
    found = find_recipient(raw, intake)
    return found if isinstance(found, Receipt) else await intake.take(Received(found, "", raw))

"""BounceHandler's records become part of our history.

Knows how a record becomes a bounce, and that it is entered once. Asks no policy: what was inherited is looked
at when the next mail of that user comes back, so that an import sets off nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.address import domain_of
from sidecar.domain.bounce_records import Bad, Owner, Row
from sidecar.domain.classify import RuleBook
from sidecar.domain.inherited import Fate, fate_of, verdict_of
from sidecar.domain.policy import Policy
from sidecar.domain.provider import provider_of
from sidecar.domain.verp import Token, Verp
from sidecar.storage import accounts, audit, ledger, sends
from sidecar.storage.database import Database

__all__ = ["Heir", "Inheritance", "LeftOut"]

BATCH = 50  # records a transaction: bounces of the same users wait meanwhile, on SQLite all of them
PAUSE = 0.1  # seconds between two: SQLite's waiters look no more often, and the daemon's are to get in

#: The kind of a notice that was inherited; there was a mail, but nobody has it.
KIND = "imported"


@dataclass(frozen=True)
class LeftOut:
    """A record that is not entered."""

    record: int | str  #: its br_id, or its place in the file
    why: Fate


@dataclass
class Inheritance:
    """What became of the records."""

    records: int
    hard: int = 0  #: of those that are entered
    users: int = 0  #: of those that are entered
    fates: dict[Fate, int] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class Sorted:
    """A record and what may become of it."""

    record: int | str
    fate: Fate
    bounce: ledger.Bounce | None = None  #: what is entered, if it may


class Heir:
    """Takes records over. Repeatable: what was entered before is known."""

    def __init__(self, verp: Verp, rules: RuleBook, policies: Mapping[str, Policy], keep: timedelta) -> None:
        self._formats = verp.in_each_format()
        self._rules, self._policies, self._keep = rules, policies, keep

    async def inherit(
        self,
        database: Database,
        rows: Iterable[Row | Bad],
        owners: Mapping[str, Sequence[Owner]],  #: all who have an address now, by address
        now: datetime,
        *,
        dry_run: bool,
    ) -> Inheritance:
        """Enter what may be entered; in a dry run, only say what would be."""
        every = [self._sort(row, owners, now) for row in rows]
        every.sort(key=_order)
        seen: set[tuple[str, int, datetime]] = set()
        became: list[Sorted] = []
        for start in range(0, len(every), BATCH):
            batch = [_once(one, seen) for one in every[start : start + BATCH]]
            if dry_run:
                became += await database.read(lambda c, batch=batch: [_look(c, one) for one in batch])  # type: ignore[misc]
            else:
                became += await database.write(lambda c, batch=batch: _enter(c, batch, now))  # type: ignore[misc]
                await asyncio.sleep(PAUSE)
        return _told(became)

    def _sort(self, row: Row | Bad, owners: Mapping[str, Sequence[Owner]], now: datetime) -> Sorted:
        if isinstance(row, Bad):
            return Sorted(str(row), Fate.UNREADABLE)
        whose = owners.get(row.address, ())
        fate = fate_of(row, whose, self._policies, now, self._keep)
        return Sorted(row.number, fate, self._bounce(row, whose[0], now) if fate is Fate.ENTERED else None)

    def _bounce(self, row: Row, owner: Owner, now: datetime) -> ledger.Bounce:
        verdict, status = verdict_of(row, self._rules, self._policies[owner.wiki].categories)
        signed = self._as_signed(owner.wiki, row.address, now)
        domain = domain_of(row.address)
        return ledger.Bounce(
            wiki=owner.wiki,
            user_id=owner.user_id,
            sent=row.sent,
            tag=signed.tag,
            key_id=signed.key_id,
            received=row.sent,  # when it came back nobody knows; not now, or brakes would take it for a rush
            category=str(verdict.category),
            hard=verdict.hard,
            status=status,
            rule=verdict.rule,
            domain=domain,
            provider=provider_of(domain),
            words=verdict.words,
        )

    def _as_signed(self, wiki: str, address: str, now: datetime) -> Token:
        """What a return path of ours says of an address, in the format that has a tag, whoever's it is."""
        tokens = (form.recognise(form.issue(wiki, 1, address, now), now) for form in self._formats)
        return next(token for token in tokens if token.tag)


def _order(one: Sorted) -> tuple[object, ...]:
    """Users in one order, so that two imports do not block each other; of one mail, what says most first."""
    new = one.bounce
    return (0, new.wiki, new.user_id, new.sent, not new.hard) if new else (1,)


def _once(one: Sorted, seen: set[tuple[str, int, datetime]]) -> Sorted:
    """BounceHandler enters a mail each time that it comes back."""
    if one.bounce is None:
        return one
    mail = (one.bounce.wiki, one.bounce.user_id, one.bounce.sent)
    if mail in seen:
        return Sorted(one.record, Fate.KNOWN)
    seen.add(mail)
    return one


def _look(connection: sa.Connection, one: Sorted) -> Sorted:
    new = one.bounce
    if new and ledger.knows(connection, new.wiki, new.user_id, new.sent):
        return Sorted(one.record, Fate.KNOWN)
    return one


def _enter(connection: sa.Connection, batch: Sequence[Sorted], now: datetime) -> list[Sorted]:
    for one in batch:
        if one.bounce:
            accounts.lock(connection, one.bounce.wiki, one.bounce.user_id)
    became = [_look(connection, one) for one in batch]
    fresh = [one.bounce for one in became if one.bounce]
    for new in fresh:
        path = f"bounce_records:{new.wiki}:{new.user_id}:{new.sent:%Y%m%d%H%M%S}"
        notice = ledger.Notice(path, b"", new.received, KIND, wiki=new.wiki, user_id=new.user_id)
        notice_id = ledger.append(connection, notice)
        if notice_id is not None:
            ledger.book(connection, notice_id, new, now.date())
        sends.forget(connection, new.wiki, new.user_id, new.sent, "")  # signed in BounceHandler's format
    if fresh:
        hard = sum(new.hard for new in fresh)
        audit.tell(connection, now, "imported", f"bounce_records: {len(fresh)} failures, {hard} of them hard")
    return became


def _told(became: Sequence[Sorted]) -> Inheritance:
    entered = [one.bounce for one in became if one.bounce]
    fates = Counter(one.fate for one in became)
    return Inheritance(
        records=len(became),
        hard=sum(new.hard for new in entered),
        users=len({(new.wiki, new.user_id) for new in entered}),
        fates={fate: fates[fate] for fate in Fate if fates[fate]},
        left_out=[LeftOut(one.record, one.fate) for one in became if one.fate is not Fate.ENTERED],
    )

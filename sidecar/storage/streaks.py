"""Who has an open streak: a failure that counts, younger than the last action, and not yet forgotten.

Or may have one when somebody looks: what is held or waits is decided again, however late, what a wiki refused
may be revived, and what is set aside may turn out to be a failure.

Knows how to find all of them, and whose streak may have opened or ended since a time. Does not know whether
mail has arrived since: that ends the counting, and not the watching.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.numbers import Numbers
from sidecar.domain.person import Account
from sidecar.storage import people
from sidecar.storage.actions import Kind, State
from sidecar.storage.needs import OPEN
from sidecar.storage.schema import action, bounce, identity, notice

__all__ = ["Mark", "User", "all_open", "mark", "open_among", "touched"]

User = tuple[str, int]  #: wiki, user id

BATCH = 10_000  # rows that are fetched at a time

_ASIDE = (notice.c.aside != "") & (notice.c.wiki != "")
_OWED = action.c.state.in_(OPEN) & action.c.kind.in_((Kind.WARN, Kind.UNCONFIRM))
_MAY_OPEN = ((action, _OWED), (notice, _ASIDE))


@dataclass(frozen=True)
class Mark:
    """How far somebody has looked."""

    bounce_id: int
    notice_id: int
    at: datetime


def mark(connection: sa.Connection, now: datetime) -> Mark:
    """What there is by now."""
    bounce_id, notice_id = (
        connection.execute(sa.select(sa.func.max(table.c.id))).scalar_one() or 0 for table in (bounce, notice)
    )
    return Mark(bounce_id, notice_id, now)


def all_open(connection: sa.Connection, since: datetime) -> dict[str, Numbers]:
    """Every user with an open streak, by wiki; failures of mail sent up to *since* are forgotten."""
    found: dict[str, Numbers] = {}
    # Nothing comes back before it was sent, and there is an index of what came back.
    failed = sa.select(bounce.c.wiki, bounce.c.user_id).where(_opens(since), bounce.c.received > since)
    for query in (
        failed,
        *(sa.select(table.c.wiki, table.c.user_id).where(open_) for table, open_ in _MAY_OPEN),
    ):
        for wiki, user_id in connection.execution_options(yield_per=BATCH).execute(query):
            found.setdefault(wiki, Numbers()).add(user_id)
    for person in people.groups(connection).values():
        if any(one.user_id in found.get(one.wiki, ()) for one in person):
            for one in person:
                found.setdefault(one.wiki, Numbers()).add(one.user_id)
    return found


def touched(connection: sa.Connection, seen: Mark) -> set[User]:
    """Users of bounces that were booked, of mail that was set aside, of actions settled, and those of whom it
    became known whose account they are, since *seen*; and their siblings.

    By number, because replayed mail is old; and by time, because a soft bounce may become a hard one, and
    because numbers are not given in the order of the commits where several nodes write.
    """
    failed = sa.select(bounce.c.wiki, bounce.c.user_id).where(bounce.c.hard)
    settled = sa.select(action.c.wiki, action.c.user_id).where(action.c.settled > seen.at)
    aside = sa.select(notice.c.wiki, notice.c.user_id).where(_ASIDE)
    queries = (
        failed.where(bounce.c.id > seen.bounce_id),
        failed.where(bounce.c.received > seen.at),
        aside.where(notice.c.id > seen.notice_id),
        aside.where(notice.c.received > seen.at, notice.c.raw.is_not(None)),  # as the index has it
        settled,
        sa.select(identity.c.wiki, identity.c.user_id).where(identity.c.asked > seen.at),
    )
    found = {Account(*row) for query in queries for row in connection.execute(query)}
    return {(one.wiki, one.user_id) for each in found for one in people.accounts_of(connection, each)}


def open_among(connection: sa.Connection, users: Iterable[User], since: datetime) -> set[User]:
    """Which of these have an open streak; mail to any account of a person tells of all of them."""
    return {
        user
        for user in users
        if any(
            _is_open(connection, (one.wiki, one.user_id), since)
            for one in people.busy_accounts(connection, Account(*user))
        )
    }


def _is_open(connection: sa.Connection, user: User, since: datetime) -> bool:
    wiki, user_id = user
    return any(
        connection.execute(
            sa.select(table.c.id).where(table.c.wiki == wiki, table.c.user_id == user_id, open_).limit(1)
        ).first()
        for table, open_ in ((bounce, _opens(since)), *_MAY_OPEN)
    )


def _opens(since: datetime) -> sa.ColumnElement[bool]:
    settled = sa.exists().where(
        action.c.wiki == bounce.c.wiki,
        action.c.user_id == bounce.c.user_id,
        action.c.forget_until >= bounce.c.sent,
        action.c.state != State.DEAD,
    )
    counts = bounce.c.hard & ~bounce.c.confirming & bounce.c.pardon.is_(None)
    return counts & (bounce.c.sent > since) & ~settled

"""Who has an open streak: a failure that counts, younger than the last action, and not yet forgotten.

Or may have one when somebody looks: what is held or waits is decided again, however late, what a wiki refused
may be revived, and what is set aside may turn out to be a failure.

Knows how to find all of them, and whose streak may have opened or ended since a time. Does not know whether
mail has arrived since: that ends the counting, and not the watching.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.numbers import Numbers
from sidecar.domain.person import Account
from sidecar.storage import people
from sidecar.storage.actions import DECIDED, State
from sidecar.storage.needs import OPEN
from sidecar.storage.schema import action, bounce, identity, notice

__all__ = ["Mark", "Touched", "User", "all_open", "mark", "touched", "who_is_open"]

User = tuple[str, int]  #: wiki, user id

BATCH = 10_000  # rows that are fetched at a time

_ASIDE = (notice.c.aside != "") & (notice.c.wiki != "")
_OWED = action.c.state.in_(OPEN) & action.c.kind.in_(DECIDED)
_MAY_OPEN = ((action, _OWED), (notice, _ASIDE))

_SINCE: sa.BindParameter[datetime] = sa.bindparam("since", type_=bounce.c.sent.type)
_OPENS = sa.and_(
    bounce.c.hard,
    ~bounce.c.confirming,
    bounce.c.pardon.is_(None),
    bounce.c.sent > _SINCE,
    ~sa.exists().where(
        action.c.wiki == bounce.c.wiki,
        action.c.user_id == bounce.c.user_id,
        action.c.forget_until >= bounce.c.sent,
        action.c.state != State.DEAD,
    ),
)
_OPEN = sa.select(
    sa.or_(
        *(
            sa.exists().where(
                table.c.wiki == sa.bindparam("wiki"), table.c.user_id == sa.bindparam("user_id"), open_
            )
            for table, open_ in ((bounce, _OPENS), *_MAY_OPEN)
        )
    )
)
_AT: sa.BindParameter[datetime] = sa.bindparam("at", type_=bounce.c.received.type)
_FAILED = [
    sa.select(bounce.c.wiki, bounce.c.user_id, _OPENS).where(bounce.c.hard, new)
    for new in (bounce.c.id > sa.bindparam("bounce_id"), bounce.c.received > _AT)
]
_OTHERS = [
    sa.select(table.c.wiki, table.c.user_id).where(*new)
    for table, *new in (
        (notice, _ASIDE, notice.c.id > sa.bindparam("notice_id")),
        (notice, _ASIDE, notice.c.received > _AT, notice.c.raw.is_not(None)),  # as the index has it
        (action, action.c.settled > _AT),
        (identity, identity.c.asked > _AT),
    )
]


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
    failed = sa.select(bounce.c.wiki, bounce.c.user_id).where(_OPENS, bounce.c.received > _SINCE)
    for query in (
        failed,
        *(sa.select(table.c.wiki, table.c.user_id).where(open_) for table, open_ in _MAY_OPEN),
    ):
        for wiki, user_id in connection.execution_options(yield_per=BATCH).execute(query, {"since": since}):
            found.setdefault(wiki, Numbers()).add(user_id)
    for person in people.groups(connection).values():
        if any(one.user_id in found.get(one.wiki, ()) for one in person):
            for one in person:
                found.setdefault(one.wiki, Numbers()).add(one.user_id)
    return found


@dataclass(frozen=True)
class Touched:
    """Accounts, but not their siblings."""

    failing: frozenset[
        User
    ]  #: with a failure that counts and is not forgotten: nothing else needs to be asked
    others: frozenset[User]


def touched(connection: sa.Connection, seen: Mark, since: datetime) -> Touched:
    """Users of bounces that were booked, of mail that was set aside, of actions settled, and those of whom it
    became known whose account they are, since *seen*; failures of mail sent up to *since* are forgotten.

    By number, because replayed mail is old; and by time, because a soft bounce may become a hard one, and
    because numbers are not given in the order of the commits where several nodes write.
    """
    at = {"since": since, **vars(seen)}
    failures = [tuple(row) for query in _FAILED for row in connection.execute(query, at)]
    failing = frozenset((wiki, user_id) for wiki, user_id, opens in failures if opens)
    others = {(wiki, user_id) for wiki, user_id, _ in failures} - failing
    others |= {(wiki, user_id) for query in _OTHERS for wiki, user_id in connection.execute(query, at)}
    return Touched(failing, frozenset(others))


def who_is_open(
    connection: sa.Connection, users: Iterable[User], failing: Collection[User], since: datetime
) -> dict[User, bool]:
    """Whether these have an open streak, and their siblings: mail to any account of a person tells of all of
    them. Of *failing* it is known.
    """
    found: dict[User, bool] = {}
    for user in users:
        if user in found:
            continue
        person = [(one.wiki, one.user_id) for one in people.accounts_of(connection, Account(*user))]
        is_open = any(one in failing for one in person) or any(
            _is_open(connection, one, since) for one in person
        )
        found |= dict.fromkeys(person, is_open)
    return found


def _is_open(connection: sa.Connection, user: User, since: datetime) -> bool:
    wiki, user_id = user
    whose = {"wiki": wiki, "user_id": user_id, "since": since}
    return bool(connection.execute(_OPEN, whose).scalar_one())

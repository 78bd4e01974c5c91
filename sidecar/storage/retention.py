"""What has been kept for long enough: found without a lock, dropped a few rows at a time.

Knows what is still needed, whatever its age: nothing goes of a user of whom something is owed or set aside, a
user's mails go oldest first, and what says that mail counts no more outlives that mail. Does not know for how
long anything is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sidecar.storage import digests
from sidecar.storage.accounts import NOBODY
from sidecar.storage.needs import OPEN, aside_of, of_person, owed_to
from sidecar.storage.schema import (
    account,
    action,
    action_bounce,
    bounce,
    brake,
    canary,
    event,
    identity,
    notice,
    rate,
    send,
    tally,
)

__all__ = [
    "ACCOUNTS", "ACTIONS", "ASIDE", "BOUNCES", "BRAKES", "CANARIES", "EVENTS", "IDENTITIES", "MAILS",
    "NOTICES", "RATES", "SENDS", "TALLIES", "Shelf", "drop", "find",
]  # fmt: skip

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Shelf:
    """Rows of one kind that go by age."""

    name: str
    table: sa.Table
    old: Callable[[datetime], Condition]  #: from before that time, and needed by nobody
    refer: tuple[sa.Column[Any], ...] = ()  #: columns that refer to these rows; theirs go with them
    empties: bool = False  #: the row stays, and only its raw mail goes


def _old_mail(before: datetime) -> Condition:
    return (notice.c.received < before) & (notice.c.aside == "") & notice.c.raw.is_not(None)


def _old_aside(before: datetime) -> Condition:
    return (notice.c.received < before) & (notice.c.aside != "")


def _old_bounce(before: datetime) -> Condition:
    # The oldest mail first: else one that was overcome by a later one might count again.
    older = bounce.alias()
    stays = of_person(bounce, older, (older.c.sent < bounce.c.sent) & (older.c.received >= before))
    # Before 0003 a notice did not name its user.
    itself = sa.exists().where(notice.c.id == bounce.c.notice_id, notice.c.aside != "")
    return (bounce.c.received < before) & ~stays & ~aside_of(bounce) & ~itself & ~owed_to(bounce)


def _old_send(before: datetime) -> Condition:
    failed = of_person(send, bounce, bounce.c.sent <= send.c.sent)
    return (send.c.sent < before) & ~failed & ~aside_of(send)


def _old_notice(before: datetime) -> Condition:
    booked = sa.exists().where(bounce.c.notice_id == notice.c.id)
    return (notice.c.received < before) & notice.c.raw.is_(None) & (notice.c.aside == "") & ~booked


def _old_action(before: datetime) -> Condition:
    ended = sa.func.coalesce(action.c.settled, action.c.created, type_=action.c.settled.type)
    own = of_person(action, bounce, (bounce.c.sent <= ended) | (bounce.c.sent <= action.c.forget_until))
    aged = (action.c.settled < before) | (action.c.settled.is_(None) & (action.c.created < before))
    return aged & action.c.state.not_in(OPEN) & ~own & ~owed_to(action)


def _old_account(_before: datetime) -> Condition:
    of = (
        sa.exists().where(
            t.c.wiki == account.c.wiki,
            (t.c.user_id == account.c.user_id) | (account.c.user_id == NOBODY),  # the wiki's own row
        )
        for t in (bounce, action)
    )
    return (account.c.wiki != "") & ~sa.or_(*of)  # the brakes' row has no age


def _old_identity(before: datetime) -> Condition:
    of = (of_person(identity, table, sa.true()) for table in (bounce, action))
    asked = sa.func.coalesce(identity.c.asked, identity.c.ask_at, type_=identity.c.asked.type)
    return (asked < before) & ~sa.or_(*of)


def _old_event(before: datetime) -> Condition:
    return (event.c.at < before) & event.c.action_id.is_(None)  # those of an action go with it


def _old_brake(before: datetime) -> Condition:
    held = sa.exists().where(action.c.brake_id == brake.c.id)
    return (brake.c.settled < before) & ~held


def _old_tally(before: datetime) -> Condition:
    return tally.c.slot < before


def _old_rate(before: datetime) -> Condition:
    return rate.c.day < str(before.date())


def _old_canary(before: datetime) -> Condition:
    return canary.c.sent < before


MAILS = Shelf("mails", notice, _old_mail, empties=True)
ASIDE = Shelf("set_aside", notice, _old_aside, empties=True)
BOUNCES = Shelf("bounces", bounce, _old_bounce, (action_bounce.c.bounce_id,))
SENDS = Shelf("sends", send, _old_send)
NOTICES = Shelf("notices", notice, _old_notice)
ACTIONS = Shelf("actions", action, _old_action, (action_bounce.c.action_id, event.c.action_id))
ACCOUNTS = Shelf("accounts", account, _old_account)
IDENTITIES = Shelf("identities", identity, _old_identity)
EVENTS = Shelf("events", event, _old_event)
BRAKES = Shelf("brakes", brake, _old_brake)
TALLIES = Shelf("tallies", tally, _old_tally)
RATES = Shelf("rates", rate, _old_rate)
CANARIES = Shelf("canaries", canary, _old_canary)


def find(
    connection: sa.Connection, shelf: Shelf, before: datetime, most: int, most_octets: int
) -> list[tuple[Any, ...]]:
    """The keys of at most *most* rows that may go; of raw mail, no more than *most_octets* and one mail."""
    key = shelf.table.primary_key.columns
    size = sa.func.coalesce(sa.func.length(notice.c.raw), 0) if shelf.empties else sa.literal(0)
    query = sa.select(size, *key).where(shelf.old(before)).limit(most)
    found, octets = [], 0
    for row in connection.execute(query):
        found.append(tuple(row[1:]))
        octets += row[0]
        if octets > most_octets:
            break
    return found


def drop(connection: sa.Connection, shelf: Shelf, keys: Sequence[tuple[Any, ...]], before: datetime) -> int:
    """Let rows go that were found, unless they are needed by now; how many went."""
    key = shelf.table.primary_key.columns
    these = sa.tuple_(*key).in_(keys) & shelf.old(before)
    # What others have locked they need, or let go of themselves.
    query = sa.select(*key).where(these).with_for_update(skip_locked=True)
    still = [tuple(row) for row in connection.execute(query)]
    mine = sa.tuple_(*key).in_(still)
    if shelf.empties:
        connection.execute(notice.update().where(mine).values(raw=None, aside=""))
        return len(still)
    for column in shelf.refer:
        connection.execute(column.table.delete().where(column.in_([only for (only,) in still])))
    connection.execute(shelf.table.delete().where(mine))
    if shelf is NOTICES:
        digests.follow(connection)
    return len(still)

"""Claims: which action is in whose hands, and for how long.

Knows leases. Whoever has claimed an action says again and again that its call is under way; when a node dies,
its leases end, and another node claims what it held. Nobody needs to know who lives: should two call for the
same action, because the database was out of reach for as long as a lease lasts, the wiki compares, and the
second answer is "already".
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.storage import accounts, brakes, outbox, people
from sidecar.storage.actions import State
from sidecar.storage.audit import tell_of
from sidecar.storage.outbox import Owed
from sidecar.storage.schema import action
from sidecar.storage.wanted import action_of

__all__ = ["ASTRAY", "LEASE", "claim", "date_anew", "in_hand_until", "is_due", "keep", "live"]

#: For which nobody else claims it; one who died is waited for no longer, and a call that lasts is kept.
LEASE = timedelta(seconds=30)
#: By which the clocks of nodes may differ (docs/operating.md); what is later was dated by one that ran ahead.
ASTRAY = LEASE
#: A lease that ends later is none.
FARTHEST = LEASE + ASTRAY
#: Nothing that was tried waits for longer until it is tried again: twice what dispatch.py has as the longest.
LONGEST_WAIT = timedelta(hours=12)
TOGETHER = 50  # actions that are dated anew in one transaction


def claim(
    connection: sa.Connection,
    now: datetime,
    lease_until: datetime,
    except_wikis: Collection[str],
    central: Collection[str] = (),
) -> Owed | None:
    """Take the longest-due action in hand. If we die with it, it falls due again when the lease ends.

    One of each wiki is in somebody's hands, whichever node claims: a wiki that another one is claiming from,
    or whose user is being booked for, is passed over. Nobody books for the user until the transaction ends.
    At *central* wikis, those wait of whom it is not known whose account it is.
    """
    passed = set(except_wikis)
    while found := _longest_due(connection, now, passed, central):
        row = _taken(connection, found, now, central)
        if row is None:
            passed.add(found.wiki)
        elif not _hold_if_missed(connection, row, now):
            values = {"leased_until": lease_until, "attempts": row.attempts + 1}
            connection.execute(action.update().where(action.c.id == row.id).values(values))
            return Owed(row.id, action_of(connection, row), row.attempts + 1, row.created)
    return None


def keep(connection: sa.Connection, these: Iterable[Owed], lease_until: datetime) -> None:
    """Their calls are still under way. Void for what somebody else has claimed since."""
    for owed in sorted(these, key=lambda owed: owed.id):
        mine = (action.c.id == owed.id) & (action.c.attempts == owed.attempts) & _unsettled(action)
        connection.execute(action.update().where(mine).values(leased_until=lease_until))


def date_anew(connection: sa.Connection, now: datetime) -> None:
    """What a clock that ran ahead has decided or postponed would wait until it is as late as it was then.

    What was tried before falls due; what never was waits from now on for as long as was meant.
    """
    for row in connection.execute(sa.select(action).where(_dated_ahead(now)).limit(TOGETHER)).all():
        decided = min(row.created, now)
        due = now if row.attempts else now + (row.due - row.created)
        same = (action.c.id == row.id) & (action.c.created == row.created) & (action.c.due == row.due)
        connection.execute(action.update().where(same, _waits()).values(created=decided, due=due))


def is_due(
    connection: sa.Connection, now: datetime, except_wikis: Collection[str], central: Collection[str] = ()
) -> bool:
    """Whether there is anything to claim, or to date anew; takes no lock."""
    query = sa.select(action.c.id).where(_due(now, except_wikis, central) | _dated_ahead(now)).limit(1)
    return connection.execute(query).first() is not None


def _waits() -> sa.ColumnElement[bool]:
    return action.c.state == State.WAITING


def _dated_ahead(now: datetime) -> sa.ColumnElement[bool]:
    """What waits, and not in anybody's hands, for a time that a clock has made which ran ahead."""
    tried = (action.c.attempts > 0) & (action.c.due > now + LONGEST_WAIT)
    return _waits() & ~live(action, now) & ((action.c.created > now + ASTRAY) | tried)


def _due(now: datetime, except_wikis: Collection[str], central: Collection[str]) -> sa.ColumnElement[bool]:
    other = action.alias()
    called = sa.select(other.c.wiki).where(live(other, now))
    return sa.and_(
        ~people.unknown(central, now) if central else sa.true(),
        _waits(),
        action.c.due <= now,
        action.c.wiki.not_in(list(except_wikis)),
        action.c.wiki.not_in(called),
    )


def in_hand_until(connection: sa.Connection, several: Iterable[Account], now: datetime) -> datetime | None:
    """Until when something that a history has called for is in somebody's hands, at any of these accounts.

    None if nothing is; whoever has locked them (accounts.py) knows that nobody claims it meanwhile.
    """
    query = sa.select(action.c.leased_until).where(outbox.decided_at(several), live(action, now))
    return max(connection.execute(query).scalars(), default=None)


def live(table: sa.FromClause, now: datetime) -> sa.ColumnElement[bool]:
    """Whether somebody has that row's action in hand."""
    ends = table.c.leased_until
    return (ends > now) & (ends <= now + FARTHEST) & _unsettled(table)


def _unsettled(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Held, too: its call was under way when the brake tripped."""
    return table.c.leased_until.is_not(None) & table.c.state.in_([State.WAITING, State.HELD])


def _longest_due(
    connection: sa.Connection, now: datetime, passed: Collection[str], central: Collection[str]
) -> sa.Row[Any] | None:
    query = sa.select(action).where(_due(now, passed, central)).order_by(action.c.due, action.c.id).limit(1)
    return connection.execute(query).first()


def _taken(
    connection: sa.Connection, found: sa.Row[Any], now: datetime, central: Collection[str]
) -> sa.Row[Any] | None:
    """Its row, locked after its wiki and its user; None if others have one of them, or have been faster."""
    if not accounts.try_lock_wiki(connection, found.wiki):
        return None
    if not accounts.try_lock(connection, found.wiki, found.user_id):
        return None
    # From here on nobody else claims of this wiki; whoever did so has committed, and is seen by what follows.
    still = sa.select(action).where(action.c.id == found.id, _due(now, (), central))
    return connection.execute(still.with_for_update(skip_locked=True)).first()


def _hold_if_missed(connection: sa.Connection, row: sa.Row[Any], now: datetime) -> bool:
    """A brake tripped while this was being decided on another node, and neither saw the other."""
    if row.kind not in brakes.HELD_KINDS:
        return False
    by = brakes.missed_by(connection, row.provider, brakes.wikis_of(connection, row.id), row.created)
    if by is None:
        return False
    values = {"state": State.HELD, "brake_id": by.id}
    connection.execute(action.update().where(action.c.id == row.id).values(values))
    tell_of(connection, row.id, action_of(connection, row), now, "held", f"by brake {by.id}: {by.why}")
    return True

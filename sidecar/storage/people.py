"""Whose accounts are one person's: what the wikis have answered, and of whom a wiki is to be asked.

Knows the answers that were given. Does not know how a wiki is asked (services/identity.py). An account of
which nothing is known stands for itself.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.history import CLOCK_SKEW
from sidecar.domain.person import Account, Together
from sidecar.storage.actions import DECIDED, State
from sidecar.storage.persons import busy_among, lead_of, person_of
from sidecar.storage.schema import action, bounce, identity

__all__ = [
    "FRESH", "MOST", "Inquiry", "accounts_of", "agreed", "answered", "ask_again", "busy_accounts", "claim",
    "forget", "forget_wikis", "groups", "is_due", "is_fresh", "leads_of", "never_asked",
    "next_due", "overdue", "postpone", "these", "unknown", "want", "want_all",
]  # fmt: skip

#: An answer is good for so long: accounts are attached, detached, merged and renamed.
FRESH = timedelta(days=1)

#: Accounts that are found at a time.
MOST = 500

#: Accounts that one query names.
PAGE = 100

#: No question waits for longer, by twice (services/identity.py): a clock that ran ahead has put it off.
LATEST = timedelta(hours=2)

_LEAD = (identity.c.lead_wiki, identity.c.lead_user_id)


@dataclass(frozen=True)
class Inquiry:
    """A question to a wiki, in somebody's hands until the lease ends."""

    account: Account
    tries: int  #: in vain, so far


def leads_of(connection: sa.Connection, several: Collection[Account]) -> dict[Account, Account]:
    """The same for each of these."""
    query = sa.select(*_KEY, *_LEAD)
    rows = [row for some in these(identity, several) for row in connection.execute(query.where(some))]
    known = {Account(wiki, user_id): Account(*lead) for wiki, user_id, *lead in rows}
    return {one: known.get(one, one) for one in several}


def these(table: sa.Table, several: Collection[Account]) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions for the rows of these accounts, of a page each: no query asks for hundreds of wikis.

    MariaDB would read the whole table for a list of pairs, and SQLite nests an "or" for each no more than a
    thousand deep.
    """
    inorder = sorted(several)
    for start in range(0, len(inorder), PAGE):
        page = inorder[start : start + PAGE]
        yield sa.or_(*((table.c.wiki == one.wiki) & (table.c.user_id == one.user_id) for one in page))


def accounts_of(connection: sa.Connection, account: Account) -> list[Account]:
    """All accounts of the person, this one among them, in a fixed order."""
    return sorted(person_of(connection, account).accounts)


def busy_accounts(connection: sa.Connection, account: Account) -> dict[Account, datetime | None]:
    """Those of them of whom anything is booked, and since when each is the person's, if that is known.

    This one is among them in any case.
    """
    person = person_of(connection, account)
    return {one: person.attached.get(one) for one in sorted({account, *busy_among(connection, person)})}


def groups(connection: sa.Connection) -> dict[Account, set[Account]]:
    """Everybody with more than one account, by who leads."""
    found: dict[Account, set[Account]] = {}
    others = (identity.c.wiki != identity.c.lead_wiki) | (identity.c.user_id != identity.c.lead_user_id)
    for wiki, user_id, *lead in connection.execute(sa.select(*_KEY, *_LEAD).where(others)):
        leading = Account(*lead)
        found.setdefault(leading, {leading}).add(Account(wiki, user_id))
    return found


def is_fresh(connection: sa.Connection, account: Account, now: datetime) -> bool:
    """Whether it is known whose account it is."""
    query = sa.select(identity.c.user_id).where(_is(account), _fresh(now))
    return connection.execute(query).first() is not None


def want(connection: sa.Connection, account: Account, now: datetime) -> None:
    """A failure of this account was booked: ask its wiki soon, unless a fresh answer is there."""
    if not is_fresh(connection, account, now):
        _ask(connection, account, now)


def ask_again(connection: sa.Connection, account: Account, now: datetime) -> None:
    """Whatever is known: what follows from the answer is to be decided anew."""
    connection.execute(identity.update().where(_is(account)).values(ask_at=now))


def want_all(connection: sa.Connection, several: Collection[Account], now: datetime) -> None:
    for one in several:
        want(connection, one, now)


def overdue(connection: sa.Connection, wikis: Collection[str], now: datetime) -> list[Account]:
    """Of whom something falls due that must wait for an answer, and nobody is asking."""
    asking = sa.exists().where(
        identity.c.wiki == action.c.wiki,
        identity.c.user_id == action.c.user_id,
        identity.c.ask_at.is_not(None),
    )
    due = (action.c.state == State.WAITING) & (action.c.due <= now)
    query = sa.select(action.c.wiki, action.c.user_id).where(due, unknown(wikis, now), ~asking)
    return [Account(*row) for row in connection.execute(query.limit(MOST))]


def never_asked(connection: sa.Connection, wikis: Collection[str], since: datetime) -> list[Account]:
    """With a hard bounce since then: *wikis* may not have had central accounts when it came."""
    asked = sa.exists().where(identity.c.wiki == bounce.c.wiki, identity.c.user_id == bounce.c.user_id)
    query = sa.select(bounce.c.wiki, bounce.c.user_id).where(
        bounce.c.hard, bounce.c.received > since, bounce.c.wiki.in_(wikis), ~asked
    )
    return [Account(*row) for row in connection.execute(query.distinct().limit(MOST))]


def is_due(connection: sa.Connection, now: datetime, except_wikis: Collection[str]) -> bool:
    """Whether any wiki is to be asked now; takes no lock."""
    return (
        connection.execute(sa.select(identity.c.user_id).where(_due(now, except_wikis)).limit(1)).first()
        is not None
    )


def next_due(connection: sa.Connection) -> datetime | None:
    """When a wiki is to be asked next; a time that is past if that is now, None if none is."""
    soonest: datetime | None = connection.execute(
        sa.select(sa.func.min(identity.c.ask_at, type_=identity.c.ask_at.type))
    ).scalar_one()
    return soonest


def claim(
    connection: sa.Connection, now: datetime, lease_until: datetime, except_wikis: Collection[str]
) -> Inquiry | None:
    """Take the question that waits longest. If we die with it, it falls due again when the lease ends."""
    others = sa.select(identity).where(identity.c.wiki.not_in(list(except_wikis)))
    longest = others.order_by(identity.c.ask_at).limit(1).with_for_update(skip_locked=True)
    found = (connection.execute(longest.where(when)).first() for when in _when(now))  # an index for each
    row = next(filter(None, found), None)
    if row is None:
        return None
    account = Account(row.wiki, row.user_id)
    connection.execute(identity.update().where(_is(account)).values(ask_at=lease_until, tries=row.tries + 1))
    return Inquiry(account, row.tries)


def postpone(connection: sa.Connection, account: Account, ask_at: datetime) -> None:
    """Not now; again at that time."""
    connection.execute(identity.update().where(_is(account)).values(ask_at=ask_at))


def agreed(connection: sa.Connection, account: Account, lead: Account, now: datetime) -> bool:
    """The account's wiki says that it belongs to *lead*; whether the wiki of *lead* has said so, too.

    If it has not, lately, it is to be asked.
    """
    if lead_of(connection, account) != lead or not is_fresh(connection, lead, now):
        _ask(connection, lead, now)
        return False
    values = {"asked": now, "ask_at": None, "tries": 0}
    connection.execute(identity.update().where(_is(account)).values(values))
    return True


def answered(connection: sa.Connection, together: Together, now: datetime) -> list[Account]:
    """The answer of the wiki of the account that leads: these are one person from now on.

    Who was led by one of them and is not of them stands for itself, and is asked about at its next failure,
    or now if anything is booked of it. Returns everybody of whom anything is booked who is led otherwise than
    before. The callers hold all locks.
    """
    before = leads_of(connection, together.accounts)
    moved = {one for one, lead in before.items() if lead != together.lead}
    left = _led_by_any(connection, together.accounts) - together.accounts
    for mine in these(identity, left):
        connection.execute(identity.update().where(mine).values(_ALONE))
    _enter(connection, together, now)
    busy = {one for one in left if _is_busy(connection, one)}
    want_all(connection, sorted(busy), now)
    return sorted(moved | busy)


def unknown(wikis: Collection[str], now: datetime) -> sa.ColumnElement[bool]:
    """Whether a row of the table ``action`` must wait until a wiki was asked, if it is one of *wikis*."""
    fresh = sa.exists().where(
        identity.c.wiki == action.c.wiki,
        identity.c.user_id == action.c.user_id,
        _fresh(now),
    )
    return action.c.wiki.in_(wikis) & action.c.kind.in_(DECIDED) & ~fresh


def forget(connection: sa.Connection, account: Account) -> None:
    """Nothing of others names this account any more; whose they are is asked again at the next failure."""
    connection.execute(identity.update().where(_led_by(account)).values(_ALONE))


def forget_wikis(connection: sa.Connection, except_wikis: Collection[str]) -> int:
    """No other wikis have central accounts (any more); how many accounts are local again."""
    gone = connection.execute(identity.delete().where(identity.c.wiki.not_in(except_wikis))).rowcount
    orphans = identity.c.lead_wiki.not_in(except_wikis)
    connection.execute(identity.update().where(orphans).values(_ALONE))
    return gone


_KEY = (identity.c.wiki, identity.c.user_id)
_ALONE = {
    "lead_wiki": identity.c.wiki, "lead_user_id": identity.c.user_id, "attached": None, "asked": None,
}  # fmt: skip


def _is(account: Account) -> sa.ColumnElement[bool]:
    return (identity.c.wiki == account.wiki) & (identity.c.user_id == account.user_id)


def _led_by(lead: Account) -> sa.ColumnElement[bool]:
    return (identity.c.lead_wiki == lead.wiki) & (identity.c.lead_user_id == lead.user_id)


def _fresh(now: datetime) -> sa.ColumnElement[bool]:
    # Nothing was answered in the future: a clock ran ahead, and the answer would be good until then.
    return (identity.c.asked > now - FRESH) & (identity.c.asked <= now + CLOCK_SKEW)


def _due(now: datetime, except_wikis: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*_when(now)) & identity.c.wiki.not_in(list(except_wikis))


def _when(now: datetime) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """It has come to its time, or a clock has put it off that ran ahead."""
    return identity.c.ask_at <= now, identity.c.ask_at > now + LATEST


def _enter(connection: sa.Connection, together: Together, now: datetime) -> None:
    """Anew, because most are new: a person's answer is of hundreds of accounts, or of two."""
    for mine in these(identity, together.accounts):
        connection.execute(identity.delete().where(mine))
    lead = {"lead_wiki": together.lead.wiki, "lead_user_id": together.lead.user_id}
    rows = [
        {"wiki": one.wiki, "user_id": one.user_id, **lead, "attached": together.attached.get(one)}
        for one in sorted(together.accounts)
    ]
    connection.execute(identity.insert().values(asked=now, ask_at=None, tries=0), rows)


def _led_by_any(connection: sa.Connection, leads: Collection[Account]) -> set[Account]:
    led = identity.alias()
    query = sa.select(led.c.wiki, led.c.user_id).join(
        identity, (led.c.lead_wiki == identity.c.wiki) & (led.c.lead_user_id == identity.c.user_id)
    )
    return {Account(*row) for mine in these(identity, leads) for row in connection.execute(query.where(mine))}


def _is_busy(connection: sa.Connection, one: Account) -> bool:
    return any(
        connection.execute(
            sa.select(table.c.wiki).where(table.c.wiki == one.wiki, table.c.user_id == one.user_id).limit(1)
        ).first()
        for table in (bounce, action)
    )


def _ask(connection: sa.Connection, account: Account, ask_at: datetime) -> None:
    """Unless it is about to be asked."""
    row = connection.execute(sa.select(identity.c.ask_at).where(_is(account))).first()
    if row:
        if row.ask_at is None:
            connection.execute(identity.update().where(_is(account)).values(ask_at=ask_at))
        return
    itself = {"lead_wiki": account.wiki, "lead_user_id": account.user_id}
    values = {"wiki": account.wiki, "user_id": account.user_id, "tries": 0, "asked": None, "ask_at": ask_at}
    connection.execute(identity.insert().values(**values, **itself))

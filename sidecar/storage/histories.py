"""A user's history, as the policy wants it.

Knows where its parts are, and how much of them a decision needs: what it costs depends on the numbers of the
policy and not on how long the history is. Does not know what the parts mean.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

import sqlalchemy as sa

from sidecar.domain.classify import Category
from sidecar.domain.history import Fate, History, Mail
from sidecar.domain.person import Account
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.storage import actions, people, sends
from sidecar.storage.schema import bounce

__all__ = ["history_of"]

#: Failures of one day that a decision looks at, if the policy wants no more: some are as good as thousands.
PAGE = 100
#: Days with more failures than a page, at most; where there are fewer a day, a page holds many days.
PAGES = 400
#: Bounces that may not count, of which only the tags matter: they say whether the address was changed.
OTHERS = 100


def history_of(
    connection: sa.Connection,
    account: Account,
    policy: Policy,
    now: datetime,
    *,
    known_at: datetime | None = None,
) -> History:
    """What the decision by *policy* is made from as of *now*: all of it, or if it is long, its newest part.

    Of all accounts of the person: their mails are one set, and what was done at one of them was done for all.
    Mail from before an account was attached is left out: it went to whatever address the account had then.
    As was known at *known_at*, or is known now. In shadow mode, a warning that would have been given counts.
    """
    person = people.busy_accounts(connection, account)
    forgets = (actions.forget_until(connection, one.wiki, one.user_id, known_at) for one in person)
    forget_until = max(filter(None, forgets), default=None)
    shadow = policy.mode is Mode.SHADOW
    warnings = (
        actions.warned(connection, one.wiki, one.user_id, shadow=shadow, known_at=known_at) for one in person
    )
    warned = max(filter(None, warnings), default=None)
    mails: list[Mail] = []
    for one in person:
        after = max(filter(None, (forget_until, person[one])), default=None)
        mails += _of_account(connection, one, after, known_at, policy, now, warned)
    attached = {one.wiki: since for one, since in person.items() if since}
    return History(mails, forget_until, warned, attached)


def _of_account(
    connection: sa.Connection,
    one: Account,
    after: datetime | None,
    known_at: datetime | None,
    policy: Policy,
    now: datetime,
    warned: datetime | None,
) -> Iterable[Mail]:
    """The mails to one account, sent after *after*: never fewer than they add to those of the others."""
    own = (bounce.c.wiki == one.wiki) & (bounce.c.user_id == one.user_id)
    if after:
        own &= bounce.c.sent > after
    if known_at:
        own &= bounce.c.received <= known_at
    yield from _failures(connection, own, policy, now, warned)
    yield from _others(connection, own)
    for mail in sends.newest(connection, one.wiki, one.user_id, after, now - policy.settle):
        if known_at is None or mail.sent <= known_at:
            yield Mail(mail.sent, Fate.NOTHING, "", mail.tag, mail.key_id, wiki=mail.wiki)


_COUNTABLE = bounce.c.hard & ~bounce.c.confirming & bounce.c.pardon.is_(None)


def _failures(
    connection: sa.Connection,
    own: sa.ColumnElement[bool],
    policy: Policy,
    now: datetime,
    warned: datetime | None,
) -> list[Mail]:
    """The newest that may count, back to where older ones cannot change the decision.

    A day that fills a page is not read to its end.
    """
    rule = policy.rule
    size = max(PAGE, rule.hard_bounces)
    found: list[Mail] = []
    bound: sa.ColumnElement[bool] = sa.true()
    for _ in range(PAGES):
        page = _mails(connection, own & _COUNTABLE & bound, size)
        found += page
        if len(page) < size:
            break
        oldest = page[-1].sent
        days = len({mail.sent.date() for mail in found}) if rule.daily else rule.hard_bounces
        marks = [warned] if warned else []
        if isinstance(rule, Streak):
            marks.append(now - rule.span)
            far = min(marks)
        else:
            far = found[0].sent - rule.period
        if oldest < far and days >= rule.hard_bounces:
            break
        bound = bounce.c.sent <= _next(oldest, marks)
    return found


def _next(oldest: datetime, marks: list[datetime]) -> datetime:
    """Where to go on below *oldest*: the day before, or one of *marks*, which decide, if that is nearer."""
    midnight = datetime.combine(oldest, time(), oldest.tzinfo)
    day_before = midnight if midnight < oldest else oldest - timedelta.resolution
    return max([day_before, *(mark for mark in marks if mark < oldest)])


def _others(connection: sa.Connection, own: sa.ColumnElement[bool]) -> list[Mail]:
    """Soft ones, and those hard ones that do not count, among the newest."""
    newest = _mails(connection, own & bounce.c.hard, OTHERS)
    hard = [mail for mail in newest if mail.pardoned or mail.confirming]
    return _mails(connection, own & ~bounce.c.hard, OTHERS) + hard


def _mails(connection: sa.Connection, which: sa.ColumnElement[bool], most: int) -> list[Mail]:
    """The newest first."""
    columns = ("id", "sent", "hard", "category", "tag", "key_id", "pardon", "confirming", "wiki")
    query = sa.select(*(bounce.c[name] for name in columns)).where(which)
    return list(_as_mails(connection.execute(query.order_by(bounce.c.sent.desc()).limit(most))))


_FATES = {Category.FORWARDED: Fate.FORWARDED}


def _as_mails(rows: Iterable[sa.Row[tuple[object, ...]]]) -> Iterable[Mail]:
    for row in rows:
        yield Mail(
            sent=row.sent,
            fate=Fate.HARD if row.hard else _FATES.get(row.category, Fate.SOFT),
            category=row.category,
            tag=row.tag,
            key_id=row.key_id,
            id=row.id,
            pardoned=row.pardon is not None,
            confirming=row.confirming,
            wiki=row.wiki,
        )

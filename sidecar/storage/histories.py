"""A user's history, as the policy wants it.

Knows where its parts are, and how much of them a decision needs: what it costs depends on the numbers of the
policy and not on how long the history is. Does not know what the parts mean.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from sidecar.domain.classify import Category
from sidecar.domain.history import Fate, History, Mail
from sidecar.domain.person import Account
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.storage import actions, people, sends
from sidecar.storage.schema import bounce

__all__ = ["history_of"]

#: Who has fewer bounces is read whole, by one question: nearly everybody.
FEW = 30
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
    shadow = policy.mode is Mode.SHADOW
    done = [actions.done(connection, one, shadow=shadow, known_at=known_at) for one in person]
    forget_until = max((one.forget_until for one in done if one.forget_until), default=None)
    warned = max((one.warned for one in done if one.warned), default=None)
    mails: list[Mail] = []
    for one, since in person.items():
        after = max(filter(None, (forget_until, since)), default=None)
        own = vars(one) | {"after": after or _EVER, "known_at": known_at or _FOREVER}
        mails += _of_account(connection, own, policy, now, warned)
        for mail in sends.newest(connection, one.wiki, one.user_id, after, now - policy.settle):
            if known_at is None or mail.sent <= known_at:
                mails.append(Mail(mail.sent, Fate.NOTHING, "", mail.tag, mail.key_id, wiki=mail.wiki))
    attached = {one.wiki: since for one, since in person.items() if since}
    return History(mails, forget_until, warned, attached)


Own = Mapping[str, object]  #: whose bounces: wiki, user_id, after (when their mail was sent), known_at

_EVER, _FOREVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_COLUMNS = ("id", "sent", "hard", "category", "tag", "key_id", "pardon", "confirming", "wiki")
_NEWEST = (
    sa.select(*(bounce.c[name] for name in _COLUMNS))
    .where(bounce.c.wiki == sa.bindparam("wiki"), bounce.c.user_id == sa.bindparam("user_id"))
    .where(bounce.c.sent > sa.bindparam("after"), bounce.c.received <= sa.bindparam("known_at"))
    .order_by(bounce.c.sent.desc())
    .limit(sa.bindparam("most"))
)
_NEWEST_HARD = _NEWEST.where(bounce.c.hard)
_NEWEST_SOFT = _NEWEST.where(~bounce.c.hard)
_NEWEST_COUNTABLE = _NEWEST_HARD.where(
    ~bounce.c.confirming, bounce.c.pardon.is_(None), bounce.c.sent <= sa.bindparam("bound")
)


def _of_account(
    connection: sa.Connection, own: Own, policy: Policy, now: datetime, warned: datetime | None
) -> list[Mail]:
    """Those of one account that came back: never fewer than they add to those of the others."""
    newest = _mails(connection, _NEWEST, own, FEW)
    if len(newest) < FEW:
        return newest
    return _failures(connection, own, policy, now, warned) + _others(connection, own)


def _failures(
    connection: sa.Connection, own: Own, policy: Policy, now: datetime, warned: datetime | None
) -> list[Mail]:
    """The newest that may count, back to where older ones cannot change the decision.

    A day that fills a page is not read to its end.
    """
    rule = policy.rule
    size = max(PAGE, rule.hard_bounces)
    found: list[Mail] = []
    bound = _FOREVER
    for _ in range(PAGES):
        page = _mails(connection, _NEWEST_COUNTABLE, {**own, "bound": bound}, size)
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
        bound = _next(oldest, marks)
    return found


def _next(oldest: datetime, marks: list[datetime]) -> datetime:
    """Where to go on below *oldest*: the day before, or one of *marks*, which decide, if that is nearer."""
    midnight = datetime.combine(oldest, time(), oldest.tzinfo)
    day_before = midnight if midnight < oldest else oldest - timedelta.resolution
    return max([day_before, *(mark for mark in marks if mark < oldest)])


def _others(connection: sa.Connection, own: Own) -> list[Mail]:
    """Soft ones, and those hard ones that do not count, among the newest."""
    newest = _mails(connection, _NEWEST_HARD, own, OTHERS)
    hard = [mail for mail in newest if mail.pardoned or mail.confirming]
    return _mails(connection, _NEWEST_SOFT, own, OTHERS) + hard


def _mails(connection: sa.Connection, query: sa.Select[Any], own: Own, most: int) -> list[Mail]:
    """The newest first."""
    return list(_as_mails(connection.execute(query, {**own, "most": most})))


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

"""A user's mails and what became of each: which of them count, and why the others do not.

Knows addresses by their tags, proofs of delivery, and the end of a streak. Does not know thresholds
(policy.py). All of it is a function of a set of mails: the order in which bounces arrive changes nothing,
and neither does a mail that is told twice.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

__all__ = ["CLOCK_SKEW", "Fate", "History", "Mail", "Reading", "Standing", "read_history"]


CLOCK_SKEW = timedelta(hours=1)  # between hosts that sign and hosts that take bounces


class Fate(StrEnum):
    """What came back."""

    FORWARDED = "forwarded"  #: the failure of another address, by way of this one
    NOTHING = "nothing"
    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True)
class Mail:
    """One mail that we signed for the user, as far as we noted it."""

    sent: datetime  #: aware
    fate: Fate
    category: str = ""
    tag: str = ""  #: keyed hash of the address that it was written to; "" if the return path has none
    key_id: str = ""  #: tags compare under one key only
    id: int = 0  #: of the bounce
    pardoned: bool = False  #: an operator has said that this failure was not the user's
    confirming: bool = False  #: it asked for a confirmation
    wiki: str = ""  #: which of the person's accounts it was written to


@dataclass(frozen=True)
class History:
    """What the decision is made from, in any order."""

    mails: Sequence[Mail] = ()
    forget_until: datetime | None = (
        None  #: we acted, or the user confirmed: mail sent up to here counts no more
    )
    warned: datetime | None = None  #: when the user was last warned
    attached: Mapping[str, datetime] = field(default_factory=dict)  #: by wiki: nothing older is in *mails*
    untried: frozenset[str] = frozenset()  #: failures at these wikis do not count: they are in shadow mode


class Standing(StrEnum):
    """What a mail means for the user. The value is the operator's word for it."""

    COUNTS = "counts"
    ARRIVED = "arrived"  #: older than `settle`, and nothing came back: proof that mail arrives
    PENDING = "too young to tell"
    SOFT = "soft: never counts, and proves nothing"
    FORWARDED = "it failed elsewhere, forwarded: never counts"
    OTHER_CATEGORY = "its category does not count here"
    PARDONED = "pardoned by an operator"
    UNTRIED = "its wiki is in shadow mode: counts there alone"
    CONFIRMING = "it asked for a confirmation: the address was not confirmed"
    OTHER_ADDRESS = "written to an address that was changed since"
    BEFORE_PROOF = "sent before a mail that arrived"
    TOO_SOON = "too young: the last mail old enough to tell has arrived"
    FORGOTTEN = "nothing failed for too long after it"
    OUTSIDE = "outside the period"
    FUTURE = "a clock was wrong: sent in the future"
    SETTLED = "sent before the last action or confirmation"


@dataclass(frozen=True)
class Reading:
    """Every mail with its standing, oldest first."""

    standings: tuple[tuple[Mail, Standing], ...]

    @property
    def counted(self) -> list[Mail]:
        """The failures that count, oldest first."""
        return [mail for mail, standing in self.standings if standing is Standing.COUNTS]


def read_history(
    history: History,
    categories: Collection[str],
    *,
    now: datetime,
    settle: timedelta,
    forget: timedelta | None,  #: failures further apart are not one streak, and this long ago are none
    period: timedelta | None,  #: failures older than the newest by more than this do not count
) -> Reading:
    """What each mail means as of *now*."""
    mails = _once_each(history.mails)
    young = [mail for mail in mails if history.forget_until is None or mail.sent > history.forget_until]
    settled = [(mail, Standing.SETTLED) for mail in mails[: len(mails) - len(young)]]
    moved = _same_address_from(young)
    elsewhere = [(mail, Standing.OTHER_ADDRESS) for mail in young[:moved]]
    judged = [(mail, _standing(mail, categories, now, now - settle)) for mail in young[moved:]]
    judged = _demoted(judged, Standing.UNTRIED, lambda mail: mail.wiki in history.untried)
    judged = _since_the_last_proof(judged, now - settle)
    if forget is not None:
        judged = _unbroken(judged, forget, now)
    if period is not None:
        judged = _within(judged, period)
    return Reading((*settled, *elsewhere, *judged))


Judged = list[tuple[Mail, Standing]]

SEVERITY = (Fate.FORWARDED, Fate.NOTHING, Fate.SOFT, Fate.HARD)


_NEVER_COUNT = {Fate.SOFT: Standing.SOFT, Fate.FORWARDED: Standing.FORWARDED}


def _once_each(mails: Iterable[Mail]) -> list[Mail]:
    """Each mail with the worst that is told of it, oldest first; within a second, what came back first."""

    def rest(mail: Mail) -> tuple[object, ...]:
        return mail.tag, mail.key_id, mail.confirming, mail.pardoned, mail.category, mail.id, mail.wiki

    worst_last = sorted(mails, key=lambda mail: (SEVERITY.index(mail.fate), rest(mail)))
    once = {(mail.sent, mail.tag, mail.wiki): mail for mail in worst_last}
    return sorted(once.values(), key=lambda mail: (mail.sent, -SEVERITY.index(mail.fate), rest(mail)))


def _same_address_from(mails: Sequence[Mail]) -> int:
    """Where the mails to the address of now begin: behind the last one that went to another."""
    tags: dict[str, str] = {}
    for index in range(len(mails) - 1, -1, -1):
        mail = mails[index]
        if mail.tag and tags.setdefault(mail.key_id, mail.tag) != mail.tag:
            return index + 1
    return 0


def _standing(mail: Mail, categories: Collection[str], now: datetime, settled_by: datetime) -> Standing:
    """By itself, without its neighbours."""
    if mail.fate is Fate.HARD and mail.sent > now + CLOCK_SKEW:
        return Standing.FUTURE  # it may have been sent before the confirmation of today
    if mail.fate is Fate.NOTHING:
        return Standing.ARRIVED if mail.sent <= settled_by else Standing.PENDING
    if mail.fate in _NEVER_COUNT:
        return _NEVER_COUNT[mail.fate]
    if mail.confirming:
        return Standing.CONFIRMING
    if mail.pardoned:
        return Standing.PARDONED
    return Standing.COUNTS if mail.category in categories else Standing.OTHER_CATEGORY


def _since_the_last_proof(judged: Judged, settled_by: datetime) -> Judged:
    """What the mails that arrived leave: nothing before the newest, and nothing for `settle` after it.

    Who got the last mail of which we can tell is left alone, however many younger ones have come back.
    """
    tried = [(mail, standing) for mail, standing in judged if standing is not Standing.UNTRIED]
    old = [(mail, standing) for mail, standing in tried if mail.sent <= settled_by]
    proofs = [mail.sent for mail, standing in old if standing is Standing.ARRIVED]
    if not proofs:
        return judged
    judged = _demoted(judged, Standing.BEFORE_PROOF, lambda mail: mail.sent <= proofs[-1])
    if old[-1][1] is Standing.ARRIVED:
        judged = _demoted(judged, Standing.TOO_SOON, lambda _: True)
    return judged


def _unbroken(judged: Judged, forget: timedelta, now: datetime) -> Judged:
    counted = [mail.sent for mail, standing in judged if standing is Standing.COUNTS]
    breaks = [later for earlier, later in pairwise([*counted, now]) if later - earlier > forget]
    return _demoted(judged, Standing.FORGOTTEN, lambda mail: bool(breaks) and mail.sent < breaks[-1])


def _within(judged: Judged, period: timedelta) -> Judged:
    # The newest failure closes the window, not the clock: an action that waits for the wiki stays due.
    counted = [mail.sent for mail, standing in judged if standing is Standing.COUNTS]
    return _demoted(judged, Standing.OUTSIDE, lambda mail: mail.sent < counted[-1] - period)


def _demoted(judged: Judged, standing: Standing, applies: Callable[[Mail], bool]) -> Judged:
    """What counted so far and to which *applies* gets another *standing*."""
    return [
        (mail, standing if before is Standing.COUNTS and applies(mail) else before) for mail, before in judged
    ]

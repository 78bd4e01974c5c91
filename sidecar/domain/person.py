"""One person, several accounts: what a central account system (CentralAuth) says of a wiki's account.

Knows which of a person's accounts stands for all of them. Does not know how a wiki is asked, nor for how long
its answer holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["LOCAL", "Account", "Person", "Together", "gather"]


@dataclass(frozen=True, order=True)
class Account:
    """A user of one wiki."""

    wiki: str  #: its id, as in return paths
    user_id: int

    def __str__(self) -> str:
        return f"{self.wiki} {self.user_id}"


@dataclass(frozen=True)
class Person:
    """A global account, as a wiki tells of it."""

    home: str = ""  #: the wiki where the person is at home; "" if nobody knows
    accounts: tuple[Account, ...] = ()  #: attached, whoever was attached first in front; none: local only
    attached: Mapping[Account, datetime] = field(default_factory=dict, hash=False)  #: when, where it is known


LOCAL = Person()


@dataclass(frozen=True)
class Together:
    """An account's person, as far as wikis are configured here."""

    lead: Account  #: what is decided of the person is decided and done here
    accounts: frozenset[Account]  #: whose mail is one history; the lead among them
    attached: Mapping[Account, datetime] = field(default_factory=dict, hash=False)  #: mail since then is


def gather(account: Account, person: Person, wikis: Iterable[str]) -> Together:
    """Who of *person* leads, and whose mail counts together: accounts on these *wikis* alone.

    At home if that is one of them, else where the person was attached first. An account that is not among
    the person's stays by itself: it was detached between two answers, or the wiki calls itself otherwise than
    we do.
    """
    ours = {wiki.casefold(): wiki for wiki in wikis}
    attached = {
        Account(ours[one.wiki.casefold()], one.user_id): person.attached.get(one)
        for one in person.accounts
        if one.wiki.casefold() in ours
    }
    if account not in attached:
        return Together(account, frozenset({account}))
    home = [one for one in attached if one.wiki.casefold() == person.home.casefold()]
    since = {one: time for one, time in attached.items() if time}
    return Together((home or list(attached))[0], frozenset(attached), since)

"""What a wiki shows when it is looked at, and how far one gets: for whoever has to mend it.

Knows the steps, what each brings, and the port by which they are taken. Does not know how a wiki is asked,
nor what anybody wants of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from .wiki import Wiki, WikiError

__all__ = ["About", "Account", "Examinable", "Examination", "Step"]


class Step(StrEnum):
    """One after the other; each needs those before it."""

    ANSWER = "answer"  #: it is there, and speaks MediaWiki's API
    LOGIN = "login"  #: it takes account and secret; in gate mode there is no such step
    ACT = "act"  #: it would do what we ask


@dataclass(frozen=True)
class About:
    """What the wiki says of itself."""

    wiki: str  #: its own id
    software: str  #: as "MediaWiki 1.43.0"
    time: datetime  #: its clock, when it answered
    extensions: Mapping[str, str]  #: their versions by their names; "" for one that tells none
    may_act: frozenset[str]  #: the groups whose members have our right


@dataclass(frozen=True)
class Account:
    """As whom we act there."""

    name: str
    user_id: int
    right: bool  #: this login may act
    by_group: bool  #: one of the account's groups may: a login that may not then lacks the grant
    blocked: bool  #: on the whole site


@dataclass(frozen=True)
class Examination:
    """How far we got, and what there was on the way."""

    done: frozenset[Step] = frozenset()
    trouble: WikiError | None = None  #: why the next step was not done; None if it was not tried
    about: About | None = None
    account: Account | None = None


class Examinable(Wiki, Protocol):
    """A wiki that can be looked at."""

    def examine(self, *, login: bool = True) -> Examination:
        """Go as far as one gets, and change nothing; blocks for seconds at most, and raises nothing.

        A login that is refused is not tried again; without *login* none is: MediaWiki counts those that fail.
        """
        ...

"""A story, ready to be played: who is in it, what happens when, and what should come of it.

Knows values only. Does not know how a file spells them (sections.py, reading.py) or who plays them (play.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sidecar.domain.brake import Limits
from sidecar.domain.policy import Policy

__all__ = [
    "START",
    "WIKI",
    "Answer",
    "BrakeDo",
    "Brakes",
    "Change",
    "Clock",
    "Come",
    "Confirm",
    "Expected",
    "ExpectedUser",
    "Keys",
    "KeysDo",
    "Mood",
    "Person",
    "Restart",
    "Scenario",
    "Send",
    "Undo",
    "Weather",
    "What",
]  # fmt: skip

#: Day 0 of every story, at midnight: a Sunday. The same each time, so that a story always ends the same way.
START = datetime(2026, 3, 1, tzinfo=UTC)
WIKI = "storywiki"


@dataclass(frozen=True)
class Person:
    """A user of a wiki."""

    name: str
    group: str  #: as the file names the users; the name itself if there is only one
    address: str
    confirmed: timedelta | None  #: since then, counted from the start; None for never
    groups: frozenset[str] = frozenset()
    story: str = ""
    wiki: str = WIKI
    called: str = ""  #: on the wiki, if otherwise than in the story
    attached: bool = False  #: to the global account of that name

    @property
    def username(self) -> str:
        """On the wiki."""
        return self.called or self.name


@dataclass(frozen=True)
class Answer:
    """What comes back: a recorded mail, or a report that is composed."""

    recorded: str = ""  #: its name, as "postfix/01-no-such-user"
    action: str = "failed"
    status: str = ""
    diagnostic: str = ""
    remote: str = ""  #: the host that refused


@dataclass(frozen=True)
class Send:
    """The wiki sends a mail: its return path is signed now."""

    person: int
    mail: str
    confirming: bool = False  #: it asks to confirm the address


@dataclass(frozen=True)
class Come:
    """Something comes to the return path of a mail."""

    person: int
    mail: str
    answer: Answer
    about: str = ""  #: the address that it speaks of, if not the one that was written to
    forged: bool = False
    deliveries: int = 1


@dataclass(frozen=True)
class Confirm:
    person: int


@dataclass(frozen=True)
class Change:
    person: int
    address: str


class Mood(StrEnum):
    """How the wiki answers."""

    UP = "up"
    DOWN = "down"
    SLOW = "slow"  #: after half a minute
    DEAF = "loses answers"  #: it does what it is asked, and nobody hears that it did


@dataclass(frozen=True)
class Weather:
    mood: Mood


class BrakeDo(StrEnum):
    PULL = "pull"
    RELEASE = "release"
    DISCARD = "discard"


@dataclass(frozen=True)
class Brakes:
    """An operator pulls a brake, or lets go all that hold."""

    do: BrakeDo
    provider: str = ""  #: only of this one, if named


@dataclass(frozen=True)
class Undo:
    """An operator takes un-confirmations back."""

    since: timedelta
    provider: str = ""
    person: int | None = None


class KeysDo(StrEnum):
    ROTATE = "rotate"  #: a new key signs, the others verify
    DROP = "drop"  #: only the key that signs is left


@dataclass(frozen=True)
class Keys:
    do: KeysDo


@dataclass(frozen=True)
class Clock:
    """The sidecar's clock is wrong by so much from now on."""

    wrong: timedelta


@dataclass(frozen=True)
class Restart:
    """The daemon ends and begins again."""


What = Send | Come | Confirm | Change | Weather | Brakes | Undo | Keys | Clock | Restart


@dataclass(frozen=True)
class ExpectedUser:
    """What should have become of a user, or of all users of a group; None is not looked at."""

    confirmed: bool | None = None
    unconfirmed: int | None = None  #: so many of the group
    warned: int | None = None
    told: tuple[str, ...] | None = None
    effects: tuple[str, ...] | None = None  #: what the wiki answered to the user's actions
    why: tuple[str, ...] = ()  #: words of the answer to `why`


@dataclass(frozen=True)
class Expected:
    users: Mapping[str, ExpectedUser] = field(default_factory=dict)
    actions: Mapping[str, int] | None = None  #: by state; all others are none
    brakes: int | None = None  #: that were ever tripped or pulled
    receipts: Mapping[str, int] = field(default_factory=dict)  #: by receipt


@dataclass(frozen=True)
class Scenario:
    title: str
    policies: Mapping[str, Policy]  #: by wiki
    limits: Limits
    people: tuple[Person, ...]
    events: tuple[tuple[timedelta, What], ...]  #: in the order in which they happen
    until: timedelta
    expected: Expected

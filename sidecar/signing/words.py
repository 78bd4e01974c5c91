"""What the daemon and a process that signs for it say to each other, and how it goes into a frame.

Knows the words, and what pickle makes of them, ours or a child's of ours.
Does not know sockets, nor who acts on what.
"""

import pickle
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from sidecar.domain.send import Send
from sidecar.domain.verp import Verp
from sidecar.metrics import Numbers
from sidecar.services.receipt import Receipt
from sidecar.services.watched import Users

__all__ = [
    "DOOR", "Begin", "Counted", "End", "Line", "Refused", "Serving", "Told", "Use", "Using", "Watch",
    "WatchAll", "spelled", "word",
]  # fmt: skip

DOOR = "verp"  # what is counted at it, by whichever process, is one


@dataclass(frozen=True)
class Begin:
    """To a new process: sign by this."""

    verp: Verp
    users: Users  #: who is watched, by wiki
    everybody: bool  #: every mail is noted, whoever is watched


@dataclass(frozen=True)
class Use:
    """Sign by these from now on, and say so: Using with the same *number*."""

    verp: Verp
    number: int


@dataclass(frozen=True)
class Watch:
    """Whether this user is watched."""

    wiki: str
    user_id: int
    watched: bool


@dataclass(frozen=True)
class WatchAll:
    """These users are watched, and nobody else."""

    users: Users


@dataclass(frozen=True)
class End:
    """Answer who has connected, tell the last, and end."""


@dataclass(frozen=True)
class Serving:
    """From a process: it accepts connections."""


@dataclass(frozen=True)
class Using:
    """The orders with this number are in force."""

    number: int


@dataclass(frozen=True)
class Counted:
    """What was counted since the last time."""

    numbers: Numbers
    took: tuple[list[int], float]  #: durations of answers: how many in each bucket, and their sum
    open: int  #: connections, as of now


@dataclass(frozen=True)
class Refused:
    """Recipients that were refused with one receipt."""

    number: int
    whys: list[str]  #: of the first of them


@dataclass(frozen=True)
class Line:
    """Of the log."""

    level: str
    event: str
    facts: dict[str, object]


@dataclass(frozen=True)
class Told:
    """What has happened since the last time."""

    signed: Counter[tuple[str, date]]  #: how many mails, by wiki and day
    last: datetime | None  #: when the last one was
    sends: list[Send]  #: to be noted
    counted: Counted
    refused: dict[Receipt, Refused]
    lines: list[Line]


def spelled(what: object) -> bytes:
    """What a frame holds of a word."""
    return pickle.dumps(what)


def word(said: bytes) -> object:
    """The word that a frame holds."""
    return pickle.loads(said)

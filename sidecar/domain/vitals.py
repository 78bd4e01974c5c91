"""The signs of life: what operators look at first. All of it are facts; trouble.py judges them.

Knows what is to be known of an installation. Does not know where it comes from.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

__all__ = ["UNDER_WAY", "Ailment", "Braked", "CanaryRound", "NodeSign", "Outbox", "Vitals", "WikiSign"]


class Ailment(StrEnum):
    """What a wiki suffers from."""

    UNAVAILABLE = "unavailable"  #: down, read-only, lagged: it passes, or somebody runs that wiki
    MISCONFIGURED = "misconfigured"  #: URL, right, grant or extension
    LOGIN = "login"  #: account or secret
    CERTIFICATE = "certificate"  #: TLS


@dataclass(frozen=True)
class NodeSign:
    """A daemon with a database, as it was when it was last seen."""

    name: str
    roles: str
    version: str
    started: datetime
    seen: datetime
    stopped: datetime | None = None  #: in good order
    signed: datetime | None = None  #: the last mail that it signed, or was told of
    synchronised: bool | None = None  #: its clock; None: cannot be told
    free: int | None = None  #: octets on the disk of its database; None with a server

    @property
    def takes(self) -> bool:
        """Whether bounces come to it."""
        return "take" in self.roles


@dataclass(frozen=True)
class WikiSign:
    """A wiki that did not answer as it should the last time that it was called."""

    wiki: str
    ailment: Ailment
    why: str  #: in the wiki's words, and the remedy
    since: datetime  #: the first failure in a row
    until: datetime | None  #: left alone until then
    failures: int
    last: datetime | None = None  #: failure, at which it was as this says; None: now


@dataclass(frozen=True)
class Braked:
    """A brake that holds."""

    id: int
    provider: str  #: "" for every one
    wiki: str  #: "" for every one
    tripped: datetime
    why: str
    actions: int  #: that it holds


@dataclass(frozen=True)
class Outbox:
    """What is owed to the wikis."""

    waiting: int = 0
    oldest: datetime | None = None  #: when the oldest that waits was decided
    held: int = 0  #: by brakes
    dead: int = 0  #: refused for good, in the last 30 days
    last_dead: datetime | None = None


#: As the error of a canary: it is being handed over, or whoever did so was killed and nobody knows.
UNDER_WAY = "under way"


@dataclass(frozen=True)
class CanaryRound:
    """A bounce that we sent to ourselves."""

    sent: datetime
    returned: datetime | None = None
    error: str = ""  #: why it did not even leave

    @property
    def took(self) -> timedelta:
        """How long it was under way; nothing for one that is not back."""
        return (self.returned or self.sent) - self.sent


@dataclass(frozen=True)
class Vitals:
    """All of it, at one time."""

    at: datetime
    here: str = ""  #: what the node of this host is called
    history: bool = True  #: False on a node that only issues: it has no database, and knows itself alone
    deaf: str = ""  #: a socket of this host on which nobody listens; "" if there is none, or nobody has tried
    database: str = ""  #: why it cannot be used, in words; "" if it can
    nodes: tuple[NodeSign, ...] = ()
    signed: datetime | None = None  #: the last mail that any node signed
    signed_lately: int = 0  #: mails, in as many days (UTC) as silence is borne, and today
    signed_since: datetime | None = None  #: the end of the first day (UTC) of which it is known that mail was
    noticed: datetime | None = None  #: the last mail that came to a return path
    bounced: datetime | None = None  #: the last failure that was booked
    acted: datetime | None = None  #: the last action that was carried out
    outbox: Outbox = Outbox()
    brakes: tuple[Braked, ...] = ()
    wikis: tuple[WikiSign, ...] = ()
    aside: int = 0  #: mails that wait for a person
    aside_since: datetime | None = None  #: the oldest of them
    canaries: tuple[CanaryRound, ...] = ()  #: the last rounds, newest first
    free: int | None = None  #: octets on the disk of the database, here; None with a server
    synchronised: bool | None = None  #: the clock of this host; None: cannot be told

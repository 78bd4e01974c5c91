"""What an intake gets and how it may end.

Knows the words that all doors share. What each door says for them stands in edges/replies.py.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = ["Intake", "Receipt", "Received"]


@dataclass(frozen=True)
class Received:
    """One mail for one envelope recipient, whatever door it came through."""

    recipient: str  #: envelope recipient; never taken from a header at this point
    sender: str  #: envelope sender, "" for the null sender of a bounce
    raw: bytes


class Receipt(StrEnum):
    """How an intake ended. The first three promise that the mail is on disk."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"  #: this very mail was taken before
    SET_ASIDE = "set aside"  #: kept whole for a person: nobody understood it, or its wiki is unknown
    NOT_OURS = "not ours"  #: the envelope recipient is no return path of ours
    FORGED = "forged"  #: it looks like one, but no key of ours signed it
    TOO_LATE = "too late"  #: signed by us, longer ago than we accept

    @property
    def refused(self) -> bool:
        """Whether mail is not taken: a decision that somebody took, and permanent."""
        return self in (Receipt.NOT_OURS, Receipt.FORGED, Receipt.TOO_LATE)


class Intake(Protocol):
    """What a door may ask."""

    def refusal(self, recipient: str, *, tell: bool = True) -> Receipt | None:
        """NOT_OURS, FORGED or TOO_LATE for an envelope recipient; None if we would take its mail.

        Neither blocks nor waits. Logged and counted, unless the door only tries: then *tell* is False.
        """
        ...

    async def take(self, received: Received) -> Receipt:
        """Book it; returns after the commit. Repeatable. Any exception means: not booked, try again."""
        ...

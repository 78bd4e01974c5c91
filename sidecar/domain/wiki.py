"""The port to a wiki: what we may ask of it and how it may answer. The adapters live in wiki_adapter.

Knows that every request carries the condition under which it still holds, so that it may be repeated.
Does not know HTTP, MediaWiki's error codes or who retries when.

Errors:

    WikiError
      WikiUnavailable    not now: ask again later
      WikiMisconfigured  not until somebody mends the set-up: keep what we owe, alarm, ask rarely
      WikiRefused        never: this request makes no sense to the wiki
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

__all__ = [
    "Action",
    "Effect",
    "Outcome",
    "Unconfirm",
    "Wiki",
    "WikiError",
    "WikiMisconfigured",
    "WikiRefused",
    "WikiUnavailable",
]


@dataclass(frozen=True)
class Unconfirm:
    """Make the user's address count as not confirmed; the address itself stays.

    Safe to repeat: the wiki acts only if the address has been confirmed without interruption
    since before ``confirmed_before``.
    """

    wiki: str
    user_id: int
    confirmed_before: datetime  #: aware; when the oldest mail that counted was sent
    reason: str  #: for the wiki's log; holds no mail address


Action = Unconfirm


class Effect(StrEnum):
    """How the wiki found the user."""

    UNCONFIRMED = "unconfirmed"  #: done now
    ALREADY = "already"  #: it was so before we asked
    CHANGED = "changed"  #: confirmed (again) after the counted mail was sent: nothing was done


@dataclass(frozen=True)
class Outcome:
    """The wiki's answer to an action."""

    effect: Effect
    #: UNCONFIRMED: the confirmation that we took away; CHANGED: the newer one
    confirmed_at: datetime | None = None
    fingerprint: str = ""  #: UNCONFIRMED: the wiki's own keyed hash of the address, for a later restore


class WikiError(Exception):
    """The wiki did not do what we asked. The message is the wiki's own words, free of secrets."""


class WikiUnavailable(WikiError):
    """Down, read-only, lagged, rate-limited. Nothing to do: what we owe is kept and tried again."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  #: seconds the wiki asked us to wait, if it did


class WikiMisconfigured(WikiError):
    """Password, right, grant, extension or URL is wrong. Mend it; what we owe is kept until then."""


class WikiRefused(WikiError):
    """The wiki will never do this, as for a user that does not exist. Look at `outbox`."""


class Wiki(Protocol):
    """One wiki. Not thread-safe: call from one thread at a time."""

    def perform(self, action: Action) -> Outcome:
        """Carry out *action*; blocks for seconds at most.

        Raises WikiUnavailable, WikiMisconfigured or WikiRefused, and nothing else.
        """
        ...

"""The port to a wiki: what we may ask of it and how it may answer. The adapters live in wiki_adapter.

Knows that every request carries the condition under which it still holds, so that it may be repeated.
Does not know HTTP, MediaWiki's error codes or who retries when.

Errors:

    WikiError
      WikiUnavailable    not now: ask again later
        LoginThrottled   nobody may log in with this account now, at any wiki that shares its accounts
      WikiMisconfigured  not until somebody mends the set-up: keep what we owe, alarm, ask rarely
        LoginRefused     account or secret is wrong; perhaps for all wikis that share them
        CertificateRefused   TLS: nobody can say that it is the wiki who answers
      WikiRefused        never: this request makes no sense to the wiki
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from .person import Person

__all__ = [
    "Action", "CertificateRefused", "Effect", "LoginRefused", "LoginThrottled", "Mistyped", "Outcome",
    "Restore", "Unconfirm", "Warn", "Wiki", "WikiError", "WikiMisconfigured", "WikiRefused",
    "WikiUnavailable",
]  # fmt: skip


@dataclass(frozen=True)
class Warn:
    """Tell the user on the wiki that mail does not arrive and what will follow; change nothing.

    Safe to repeat: the wiki tells only if the address has been confirmed without interruption since before
    ``confirmed_before``, and a user who was warned after that time is not warned again.
    """

    wiki: str
    user_id: int
    confirmed_before: datetime  #: aware; when the oldest mail that counted was sent
    reason: str  #: for the wiki's log; holds no mail address
    protect: frozenset[str] = frozenset()  #: members of these groups are left alone


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
    protect: frozenset[str] = frozenset()  #: members of these groups are left alone
    announce: bool = True  #: tell the user on the wiki


@dataclass(frozen=True)
class Restore:
    """Take an un-confirmation of ours back, if nobody has touched the address since.

    Safe to repeat: the wiki confirms again, as of ``confirmed_at``, only if the address is still the one of
    the fingerprint and still not confirmed.
    """

    wiki: str
    user_id: int
    confirmed_at: datetime  #: aware; the confirmation that we took away
    fingerprint: str  #: the wiki's own keyed hash of the address, as it gave it then
    reason: str  #: for the wiki's log; holds no mail address


@dataclass(frozen=True)
class Mistyped:
    """Tell the user on the wiki that the mail which asks for a confirmation came back.

    Safe to repeat: the wiki tells only if the address is not confirmed and no later confirmation was asked
    for, and only once for one mail.
    """

    wiki: str
    user_id: int
    sent: datetime  #: aware; when that mail was sent
    reason: str  #: for the wiki's log; holds no mail address


Action = Warn | Unconfirm | Restore | Mistyped


class Effect(StrEnum):
    """How the wiki found the user."""

    WARNED = "warned"  #: told, now or when this was asked before
    UNCONFIRMED = "unconfirmed"  #: done now
    SUBMITTED = "submitted"  #: gate mode: BounceHandler has the job; it does not tell what becomes of it
    RESTORED = "restored"  #: confirmed again
    ALREADY = "already"  #: it was so before we asked
    CHANGED = "changed"  #: confirmed (again), or another address, since that mail was sent: nothing done
    PROTECTED = "protected"  #: in a group that is left alone: nothing done


@dataclass(frozen=True)
class Outcome:
    """The wiki's answer to an action."""

    effect: Effect
    #: UNCONFIRMED, or ALREADY by an earlier request of ours: the confirmation that was taken away;
    #: CHANGED: the newer one
    confirmed_at: datetime | None = None
    #: with a confirmation taken away: the wiki's own keyed hash of the address, for a later restore
    fingerprint: str = ""
    group: str = ""  #: PROTECTED: which one


class WikiError(Exception):
    """The wiki did not do what we asked. The message is the wiki's own words, free of secrets."""

    remedy = ""  #: what the operator can do, in the words with which the message ends

    @property
    def words(self) -> str:
        """The message without the remedy."""
        return str(self).removesuffix(f" ({self.remedy})")


class WikiUnavailable(WikiError):
    """Down, read-only, lagged, rate-limited. Nothing to do: what we owe is kept and tried again."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  #: seconds the wiki asked us to wait, if it did


class LoginThrottled(WikiUnavailable):
    """Too many wrong passwords were tried from this host: the right one is refused, too. It passes."""


class WikiMisconfigured(WikiError):
    """Password, right, grant, extension or URL is wrong. Mend it; what we owe is kept until then."""


class LoginRefused(WikiMisconfigured):
    """The wiki does not take this account and secret. Make a new bot password."""


class CertificateRefused(WikiMisconfigured):
    """The wiki's certificate is not to be trusted: renew it, or mend scheme, name and port of api."""


class WikiRefused(WikiError):
    """The wiki will never do this, as for a user that does not exist. Look at `outbox`."""


class Wiki(Protocol):
    """One wiki. Not thread-safe: call from one thread at a time, not always the same."""

    def perform(self, action: Action) -> Outcome:
        """Carry out *action*; blocks for seconds at most.

        Raises WikiUnavailable, WikiMisconfigured or WikiRefused, and nothing else.
        """
        ...

    def identify(self, user_id: int) -> Person:
        """To whom this account belongs centrally; ``LOCAL`` if it is attached to nobody, or hidden from us.

        Changes nothing; blocks for seconds at most. Raises as ``perform`` does.
        """
        ...

    def close(self) -> None:
        """Let the connection and the session go; nothing is asked of it afterwards."""
        ...

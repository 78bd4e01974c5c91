"""The bench on which a wiki is tested: what a test may do to a wiki from behind, whichever wiki it is.

The practice wiki and the real MediaWiki both come with such a bench, and the same contract test runs on both.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sidecar.domain.access import Credentials


class Mood(StrEnum):
    """A trouble that a wiki can be in. Each is real: what MediaWiki does, not an imitation in the adapter."""

    READ_ONLY = "read-only"
    LAGGED = "lagged"  #: answers maxlag while it lasts
    RATE_LIMITED = "rate-limited"
    HTTP_500 = "http-500"
    HTTP_503 = "http-503"
    HTTP_429 = "http-429"
    NOT_JSON = "not-json"  #: HTTP 200 with an HTML page
    EXCEPTION = "exception"  #: a PHP exception while saving; everything is rolled back
    SLOW = "slow"  #: answers after 5 seconds
    BOT_BLOCKED = "bot-blocked"
    NO_RIGHT = "no-right"  #: the account has lost the right emailbounce
    NO_GRANT = "no-grant"  #: the bot password lacks the grant
    NO_EXTENSION = "no-extension"


@dataclass(frozen=True)
class Mailbox:
    """What the wiki's own database says of a user's address."""

    address: str
    confirmed_at: datetime | None


class WikiBench(Protocol):
    @property
    def api_url(self) -> str: ...
    @property
    def account(self) -> str: ...

    password: str  #: the one that is valid now

    @property
    def credentials(self) -> Credentials:
        """Those that are tested, as they are valid now."""

    def add_user(
        self, name: str, address: str, confirmed_at: datetime | None, groups: Collection[str] = ()
    ) -> int:
        """A new user with this address, a member of these groups; returns the user id."""

    def mailbox(self, user_id: int) -> Mailbox: ...

    def confirm(self, user_id: int, at: datetime) -> None: ...

    def change_address(self, user_id: int, address: str) -> None:
        """As the user would: the new address is not confirmed."""

    def ask_for_confirmation(self, user_id: int, at: datetime) -> None:
        """The user asked for a confirmation mail at that time; an earlier one is void."""

    def told(self, user_id: int) -> list[str]:
        """What this user was told on the wiki, oldest first: warn, unconfirm, mistyped."""

    def log(self, user_id: int) -> list[str]:
        """Comments of the restricted log about this user, oldest first."""

    def mood(self, mood: Mood) -> AbstractContextManager[None]:
        """The wiki is in this mood until the context ends."""

    def lose_sessions(self) -> None:
        """Every login is forgotten by the wiki."""

    def revoke(self) -> None:
        """The credentials stop working."""

    def renew(self) -> None:
        """They work again, the same as before."""

    def renew_password(self, password: str) -> None:
        """The bot password works again, with this secret (32 or more of 0-9a-v)."""

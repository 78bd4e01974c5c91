"""The users of the practice wiki: what a wiki keeps of them, and what may happen to them from outside.

Knows addresses, confirmations, groups, the restricted log and what each user was told. Does not know who asks
for what under which condition (practice_bounce.py), nor what time it is.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

__all__ = ["Entry", "Mailbox", "PracticeUsers"]


BOT = 1  # the first user


@dataclass(frozen=True)
class Mailbox:
    """A user's address and when its owner confirmed it, None for never."""

    user_id: int
    name: str
    address: str
    confirmed_at: datetime | None
    asked_at: datetime | None = None  #: when a confirmation mail was sent that nobody has answered


@dataclass(frozen=True)
class Entry:
    """An act, in the restricted log."""

    user_id: int
    act: str
    reason: str
    at: datetime
    about: tuple[str, ...] = ()  #: what else the act was about, as it was asked for or answered


class PracticeUsers:
    """In memory; safe from every thread."""

    def __init__(self) -> None:
        self._users = {BOT: Mailbox(BOT, "BounceBot", "", None)}
        self._groups: dict[int, frozenset[str]] = {BOT: frozenset()}
        self._log: list[Entry] = []
        self._told: list[tuple[int, str]] = []
        self._key = secrets.token_bytes(32)
        self._lock = threading.RLock()
        self._shared: Callable[[int, str, datetime | None], None] = lambda *_: None

    def add_user(
        self, name: str, address: str, confirmed_at: datetime | None, groups: Collection[str] = ()
    ) -> int:
        """A new user; returns the user id."""
        with self._lock:
            user_id = len(self._users) + 1
            self._users[user_id] = Mailbox(user_id, name, address, _to_the_second(confirmed_at))
            self._groups[user_id] = frozenset(groups)
            return user_id

    def mailbox(self, user_id: int) -> Mailbox:
        """What the wiki holds of a user now. Raises KeyError for a user that does not exist."""
        return self._users[user_id]

    def groups(self, user_id: int) -> frozenset[str]:
        return self._groups[user_id]

    def confirm(self, user_id: int, at: datetime) -> None:
        """The owner follows the link in the confirmation mail."""
        self._change(user_id, confirmed_at=_to_the_second(at), asked_at=None)

    def change_address(self, user_id: int, address: str) -> None:
        """The user enters a new address, which nobody has confirmed yet."""
        self._change(user_id, address=address, confirmed_at=None, asked_at=None)

    def ask_for_confirmation(self, user_id: int, at: datetime) -> None:
        """The wiki sends the user a mail that asks to confirm the address."""
        self._change(user_id, asked_at=_to_the_second(at))

    def log(self, user_id: int) -> list[str]:
        """The reasons that were given for acts on this user, oldest first."""
        return [entry.reason for entry in self._log if entry.user_id == user_id]

    def told(self, user_id: int) -> list[str]:
        """What this user was told, oldest first: warn, unconfirm, mistyped."""
        return [what for about, what in self._told if about == user_id]

    def fingerprint(self, user_id: int) -> str:
        """Tells whether this user's address is still the same, and nothing else."""
        said = f"{user_id} {self._users[user_id].address}"
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()[:32]

    def set_confirmed(self, user_id: int, at: datetime | None) -> None:
        """As an act of ours: what was asked for stays so."""
        self._change(user_id, confirmed_at=at)

    def tell(self, user_id: int, what: str) -> None:
        with self._lock:
            self._told.append((user_id, what))

    def write_log(self, entry: Entry) -> int:
        """Returns the entry's id."""
        with self._lock:
            self._log.append(entry)
            return len(self._log)

    def last_entry(self, user_id: int, *acts: str) -> Entry | None:
        """The newest entry about one of *acts*."""
        found = (entry for entry in reversed(self._log) if entry.user_id == user_id and entry.act in acts)
        return next(found, None)

    def share(self, shared: Callable[[int, str, datetime | None], None]) -> None:
        """From now on *shared* hears of every address and confirmation that changes here."""
        self._shared = shared

    def take_over(self, user_id: int, address: str, confirmed_at: datetime | None) -> None:
        """What has changed on another wiki, of the same person."""
        self._set(user_id, address=address, confirmed_at=confirmed_at)

    def _change(self, user_id: int, **what: str | datetime | None) -> None:
        kept = self._set(user_id, **what)
        self._shared(user_id, kept.address, kept.confirmed_at)

    def _set(self, user_id: int, **what: str | datetime | None) -> Mailbox:
        with self._lock:
            kept = replace(self._users[user_id], **what)  # type: ignore[arg-type]
            self._users[user_id] = kept
            return kept


def _to_the_second(moment: datetime | None) -> datetime | None:
    """MediaWiki's times have no fractions."""
    return moment and moment.astimezone(UTC).replace(microsecond=0)

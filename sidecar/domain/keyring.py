"""Keys: which one signs and which verify, as of a time.

Knows the times of a key's life. Does not know how a file spells them (key_file.py), how they are changed in
good order (rotation.py), nor what is signed.

    in the file --begins--> signs --another begins, or retired--> verifies --until--> expired
    revoked: neither signs nor verifies, whatever else is said of it

A key verifies from the moment it is in the file, so that nodes which get the file at different times
understand each other.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from .mac import Mac

__all__ = ["Key", "Keyring", "NobodySigns", "State"]

EVER = datetime.min.replace(tzinfo=UTC)


class NobodySigns(ValueError):
    """no key goes on signing: each has retired=, until= or revoked="""


class State(StrEnum):
    """What a key does. The value is the operator's word for it."""

    SIGNS = "signs"
    WILL_SIGN = "will sign"
    VERIFIES = "verifies"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Key:
    """One secret, and when it does what. All times are aware."""

    secret: bytes = field(repr=False)
    begins: datetime | None = None  #: to sign; None: it always has
    retired: datetime | None = None  #: signs no more from then on
    until: datetime | None = None  #: verifies no more from then on
    revoked: datetime | None = None  #: when somebody said so; it holds whatever the time

    @cached_property
    def id(self) -> str:
        """Names the key without telling it: 8 hex digits."""
        return hmac.new(self.secret, b"key id", hashlib.sha256).hexdigest()[:8]

    @cached_property
    def mac(self) -> Mac:
        """What signs with it."""
        return Mac(self.secret)

    @property
    def lasts(self) -> bool:
        """Nothing says that it will stop."""
        return self.retired is None and self.until is None and self.revoked is None

    def verifies(self, now: datetime) -> bool:
        """Whether what it signed is still ours."""
        return self.revoked is None and (self.until is None or now < self.until)

    def may_sign(self, now: datetime) -> bool:
        """Whether it could, where no newer one does."""
        return self.verifies(now) and (self.retired is None or now < self.retired)


class Keyring:
    """The newest key that has begun signs; where none has begun, the one that begins first. All verify.

    Of keys that begin at the same time, as those of which nothing is said, the first in the file signs.
    """

    def __init__(self, keys: Iterable[Key | bytes]) -> None:
        """A secret alone is a key of which nothing is said. Raises NobodySigns: a last key has no end."""
        self.keys = tuple(key if isinstance(key, Key) else Key(key) for key in keys)
        if not any(key.lasts for key in self.keys):
            raise NobodySigns(NobodySigns.__doc__)
        #: every one, the likeliest to have signed what comes first
        self.newest_first = sorted(self.keys, key=lambda key: key.begins or EVER, reverse=True)
        #: who signs from when on, the last first: mostly the first is the answer, and no key is looked at
        self._turns = tuple(reversed(list(self._schedule())))

    def signer(self, now: datetime) -> Key:
        """The key that signs. There is always one."""
        for since, key in self._turns:  # no next() over a generator: it costs half a microsecond
            if since <= now:
                return key
        raise AssertionError("somebody signs ever since")

    def state(self, key: Key, now: datetime) -> State:
        """What *key*, one of these, does."""
        if key.revoked is not None:
            return State.REVOKED
        if not key.verifies(now):
            return State.EXPIRED
        if self.signer(now) is key:
            return State.SIGNS
        return State.WILL_SIGN if self.next_turn(key, now) else State.VERIFIES

    def next_turn(self, key: Key, now: datetime) -> datetime | None:
        """When *key* begins to sign after *now*; None if it will not."""
        return min((since for since, one in self._turns if one is key and since > now), default=None)

    def next_change(self, now: datetime) -> datetime | None:
        """When another key signs than now; None if nothing is said of one."""
        return min((since for since, _ in self._turns if since > now), default=None)

    def last_signed(self, key: Key, now: datetime) -> datetime | None:
        """When *key*, which does not sign now, stopped; None if it has never signed."""
        ends = [end for (end, _), (_, one) in pairwise(self._turns) if one is key and end <= now]
        return max(ends, default=None)

    def _schedule(self) -> Iterator[tuple[datetime, Key]]:
        times = {time for key in self.keys for time in (key.begins, key.retired, key.until) if time}
        before: Key | None = None
        for time in sorted({EVER, *times}):
            signer = self._signer(time)
            if signer is not before:
                yield time, signer
            before = signer

    def _signer(self, now: datetime) -> Key:
        able = [key for key in self.keys if key.may_sign(now)]
        begun = [key for key in able if (key.begins or EVER) <= now]
        if begun:
            return max(begun, key=lambda key: key.begins or EVER)  # the first of equals
        return min(able, key=lambda key: key.begins or EVER)

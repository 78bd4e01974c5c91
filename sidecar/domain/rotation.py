"""How keys follow each other: what to write into their file so that no mail under way is lost.

Knows how long others may take to get the file. Does not know files, clocks or chance: the time, and a secret
that may be needed, are arguments. Each change leaves a file that any node with the file before it
understands, and whose addresses that node made or makes are understood; but for a revoked key's.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sidecar.domain.key_file import KeyFile
from sidecar.domain.keyring import Key, Keyring, State

__all__ = ["OVERLAP", "CannotRetire", "UnknownKey", "added", "retired", "revoked", "spent"]

#: Until puppet (half an hour) and a reload have reached every node, one that was down over night among them.
OVERLAP = timedelta(days=1)
#: For so long a node may go on signing with the keys that it has; what it signs is accepted all the same.
LATE = OVERLAP


class UnknownKey(LookupError):
    """no key of the file is called"""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"{UnknownKey.__doc__} {key_id}; see `keys list`")


class CannotRetire(Exception):
    """Nobody would sign, or nobody is there yet to follow."""


def added(file: KeyFile, secret: bytes, begins: datetime) -> tuple[KeyFile, Key]:
    """A new key, which begins to sign then."""
    key = Key(secret, begins=begins)
    return file.with_key(key), key


def retired(
    file: KeyFile, key_id: str, now: datetime, accept: timedelta, *, at_once: bool = False
) -> tuple[KeyFile, Key]:
    """It signs no more, from when another one begins; what it signed is accepted as long as ever.

    *at_once*: another key of the file signs from now on. Raises UnknownKey or CannotRetire.
    """
    key, ring = _known(file, key_id), Keyring(file.keys)
    if key.revoked:
        raise CannotRetire(f"key {key_id} is revoked")
    if key.retired:
        raise CannotRetire(f"key {key_id} is retired already; it verifies until its time is over")
    if all(other is key for other in file.keys if other.lasts):
        raise CannotRetire(f"key {key_id} is the last one that signs; `keys add` first")
    stops = ring.last_signed(key, now) or now
    if ring.signer(now) is key and not at_once:
        change = ring.next_change(now)
        if change is None:
            raise CannotRetire(
                f"key {key_id} signs, and none is there to follow: `keys add` first, "
                "or with --now another one of the file signs at once"
            )
        stops = change
    elif ring.state(key, now) in (State.SIGNS, State.WILL_SIGN):
        stops = now
    ended = replace(key, retired=stops, until=max(stops + accept + LATE, now))
    return file.with_changed(ended), ended


def revoked(file: KeyFile, key_id: str, now: datetime, spare: bytes) -> tuple[KeyFile, Key, Key | None]:
    """From now on it neither signs nor verifies. If nobody is left to sign, *spare* does, from now on.

    The file, the revoked key, and the new one if there is one. Raises UnknownKey. Repeatable.
    """
    key = _known(file, key_id)
    ended = replace(key, revoked=key.revoked or now)
    changed = file.with_changed(ended)
    if any(other.lasts for other in changed.keys):
        return changed, ended, None
    changed, new = added(changed, spare, now)
    return changed, ended, new


def spent(file: KeyFile, now: datetime, accept: timedelta) -> Sequence[Key]:
    """Keys that are of no more use: expired, or revoked so long ago that nothing of theirs is under way."""
    return [
        key
        for key in file.keys
        if (key.revoked is not None and key.revoked + accept + LATE <= now)
        or (key.revoked is None and not key.verifies(now))
    ]


def _known(file: KeyFile, key_id: str) -> Key:
    key = file.key(key_id)
    if key is None:
        raise UnknownKey(key_id)
    return key

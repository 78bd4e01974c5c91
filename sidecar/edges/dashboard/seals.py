"""Sealed words: sessions and forms, which only we can have made, and which end.

Knows Fernet (AES and HMAC, with a time in it). Does not know cookies, nor whose words they are. Nothing is
kept here but which sessions were ended before their time: every node with the same keys and token opens the
seals of the others.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken

__all__ = ["LASTS", "Seals"]

LASTS = timedelta(hours=12)  # a working day; then the token is asked for again
MOST_ENDED = 10_000  # sessions that are remembered as ended; each was begun with the token


class Seals:
    """*key*: 32 octets; whoever has another one opens nothing."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._ended: dict[str, datetime] = {}

    def session(self, now: datetime) -> str:
        """A new one."""
        return self._seal("session", "", now)

    def is_session(self, sealed: str, now: datetime) -> bool:
        return self._opened("session", sealed, now) == "" and _digest(sealed) not in self._ended

    def end(self, sealed: str, now: datetime) -> None:
        """This session is over, here."""
        self._ended = {one: until for one, until in self._ended.items() if until > now}
        if self.is_session(sealed, now) and len(self._ended) < MOST_ENDED:
            self._ended[_digest(sealed)] = now + LASTS

    def form(self, bond: str, now: datetime) -> str:
        """What stands hidden in a form for whoever has this *bond*."""
        return self._seal("form", _digest(bond), now)

    def is_form(self, sealed: str, bond: str, now: datetime) -> bool:
        opened = self._opened("form", sealed, now) or ""
        return bool(bond) and hmac.compare_digest(opened.encode(), _digest(bond).encode())

    def _seal(self, what: str, words: str, now: datetime) -> str:
        return self._fernet.encrypt_at_time(json.dumps([what, words]).encode(), _second(now)).decode()

    def _opened(self, what: str, sealed: str, now: datetime) -> str | None:
        try:
            opened = self._fernet.decrypt_at_time(
                sealed.encode("utf-8", "surrogateescape"), int(LASTS.total_seconds()), _second(now)
            )
        except InvalidToken:
            return None
        kind, words = json.loads(opened)
        return str(words) if kind == what else None


def _second(time: datetime) -> int:
    return int(time.timestamp())


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()

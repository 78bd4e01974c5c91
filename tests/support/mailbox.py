"""Where the tests' own servers keep what they took.

Knows envelopes and bytes; safe to use from several threads. Does not know who delivered.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.waiting import PATIENCE

__all__ = ["Mail", "Mailbox"]


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived."""

    sender: str  #: envelope sender, "" for the null sender
    recipients: tuple[str, ...]  #: envelope recipients
    raw: bytes  #: after dot-unstuffing, lines ending as they came


class Mailbox:
    """Mails in the order in which they came."""

    def __init__(self) -> None:
        self._mails: list[Mail] = []
        self._changed = threading.Condition()

    @property
    def mails(self) -> list[Mail]:
        """A copy."""
        with self._changed:
            return list(self._mails)

    def put(self, mail: Mail) -> None:
        with self._changed:
            self._mails.append(mail)
            self._changed.notify_all()

    def wait(self, recipient: str, seconds: float = PATIENCE) -> Mail:
        """The first mail for this envelope recipient; raises TimeoutError."""
        return self.wait_for(lambda mail: recipient in mail.recipients, f"mail for {recipient}", seconds)

    def wait_for(self, wanted: Callable[[Mail], bool], what: str, seconds: float = PATIENCE) -> Mail:
        """The first mail that is wanted, which may have come already; raises TimeoutError naming *what*."""
        with self._changed:
            self._changed.wait_for(lambda: any(map(wanted, self._mails)), seconds)
            for mail in self._mails:
                if wanted(mail):
                    return mail
        raise TimeoutError(f"not within {seconds:g} s: {what}")

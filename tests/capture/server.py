"""What every mail server offers to the capture, whichever it is.

Knows the words for it. Does not know any server.
"""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from tests.capture.outgoing import Outgoing
from tests.support.mailbox import Mailbox

__all__ = ["MailServer", "Running", "kind_by_action"]

_KINDS = {b"failed": "bounce", b"delayed": "delayed", b"relayed": "success", b"delivered": "success"}


class Running(Protocol):
    """A mail server in its small world."""

    mailbox: Mailbox  #: where what comes back arrives

    def version(self) -> str: ...

    def send(self, mail: Outgoing) -> None: ...

    def kind(self, raw: bytes) -> str:
        """Which of its answers to a mail this is: what the server meant, by its own words."""

    def log(self) -> str: ...


class MailServer(Protocol):
    """How a mail server is had."""

    def install(self) -> object:
        """Needs the network; repeatable."""

    def running(self, folder: Path) -> AbstractContextManager[Running]:
        """Needs no network; *folder* is for its files."""


def kind_by_action(raw: bytes) -> str:
    """For servers that write RFC 3464's fields and mean them."""
    if action := re.search(rb"^Action: (\w+)", raw, re.MULTILINE):
        return _KINDS[action[1]]
    return "auto-reply" if b"\nAuto-Submitted: auto-replied" in raw else "ordinary"

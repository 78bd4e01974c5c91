"""A mail server really installed into a private Debian, in a network of its own.

Knows the steps that are the same for all of them, and that what comes back goes by SMTP to the MX of the
return paths' domain. Does not know how any of them is configured (see servers/).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from tests.capture.outgoing import Outgoing, by_smtp
from tests.capture.server import kind_by_action
from tests.capture.world import small_world
from tests.support.bounce_cases import BOUNCES_MX
from tests.support.debian_host import DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.mailbox import Mailbox
from tests.support.remote_mx import RemoteMx
from tests.support.smtp_sink import SmtpSink

__all__ = ["SMTP", "DebianServer"]

SMTP = 25


class DebianServer(ABC):
    """One mail server in its Debian; a subclass says how to configure and start it."""

    packages: ClassVar[tuple[str, ...]]  #: the first one's version is the server's
    mx: ClassVar[type[SmtpSink] | type[RemoteMx]] = SmtpSink  #: what listens where it sends answers to

    def __init__(self, host: DebianHost, mailbox: Mailbox) -> None:
        self.host, self.mailbox = host, mailbox

    @classmethod
    def install(cls) -> DebianRoot:
        return DebianRoot.installed(cls.packages[0], cls.packages)

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["DebianServer"]:
        """In a world of its own; nothing of it is left in *folder*, nor anywhere."""
        sink = cls.mx(BOUNCES_MX, SMTP)
        with cls.install().running() as host, host.network(), small_world():
            sink.start()
            try:
                server = cls(host, sink.mailbox)
                server.start()
                yield server
            finally:
                sink.stop()

    @abstractmethod
    def start(self) -> None:
        """Configure and start; returns when mail is taken."""

    def send(self, mail: Outgoing) -> None:
        by_smtp(mail, SMTP)

    def kind(self, raw: bytes) -> str:
        return kind_by_action(raw)

    def version(self) -> str:
        """Without Debian's epoch and revision."""
        found = self.host.run("dpkg-query", "-W", "-f", "${Version}", self.packages[0])
        return re.sub(r"^\d+:|-[^-]*$", "", found)

    def log(self) -> str:
        return self.host.syslog.text()

    def write(self, path: str, text: str) -> None:
        """A file of its configuration."""
        self.host.path(path).write_text(text)

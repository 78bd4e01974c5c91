"""A mail server run from a private folder, as the tests' own Postfix and Exim are; answers go by LMTP.

Knows the steps that are the same for both. Does not know how they are configured (see servers/). They use
this machine's own files, so whoever starts them must have made /etc/resolv.conf name the little name server.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from tests.capture.outgoing import Outgoing, by_smtp
from tests.capture.server import kind_by_action
from tests.capture.world import small_world
from tests.support.exim import Exim
from tests.support.lmtp_sink import LmtpSink
from tests.support.postfix import Postfix

__all__ = ["UnpackedServer"]


class UnpackedServer(ABC):
    """One mail server in its folder."""

    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self._sink = LmtpSink(folder / f"{self.name}.sock")
        self._server = self.configured(folder / self.name, self._sink.socket)
        self.mailbox = self._sink.mailbox

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["UnpackedServer"]:
        """In the network that this thread is in, its files in *folder*, which must be short."""
        server = cls(folder)
        with small_world():
            server._sink.start()
            try:
                server._server.start()
                yield server
            finally:
                server._server.stop()
                server._sink.stop()

    @classmethod
    @abstractmethod
    def install(cls) -> Path:
        """Needs the network; repeatable."""

    @abstractmethod
    def configured(self, folder: Path, socket: Path) -> Postfix | Exim:
        """The server, ready to start; mail for the return paths' domain goes to *socket*."""

    def send(self, mail: Outgoing) -> None:
        by_smtp(mail, self._server.port)

    def kind(self, raw: bytes) -> str:
        return kind_by_action(raw)

    def version(self) -> str:
        return self._server.version()

    def log(self) -> str:
        return self._server.log()

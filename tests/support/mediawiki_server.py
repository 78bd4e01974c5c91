"""A PHP web server of our own, with workers, on a free port: to be killed and stopped, too.

Knows when it answers. Does not know what is served.
"""

import secrets
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import requests

from .places import free_port
from .process_group import ProcessGroup
from .waiting import until

WORKERS = 4
PATIENCE = 5.0  # seconds for a file of 16 octets
ESTABLISHED = "01"  # in /proc/net/tcp


class PhpServer:
    """`php -S` over *docroot*; answers when made. Raises TimeoutError; the output is in *log*."""

    def __init__(
        self, php: str, docroot: Path, environment: Mapping[str, str], log: Path, port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self._alive = secrets.token_hex(8)
        (docroot / "alive.txt").write_text(self._alive)
        # Workers share what they compile. With files of it as well, PHP 8.2 crashes on classes with aliases.
        options = ["-d", "opcache.file_cache="]
        self._group = ProcessGroup(
            [php, *options, "-S", f"127.0.0.1:{self.port}", "-t", str(docroot)],
            log,
            {**environment, "PHP_CLI_SERVER_WORKERS": str(WORKERS), "BENCH_SERVER": self.url},
        )
        try:
            until(self._answers, f"answer of php -S on port {self.port}")
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it with its workers; repeatable."""
        self._group.end()

    def kill(self) -> None:
        """At once, in whatever its workers are doing. Repeatable."""
        with suppress(ProcessLookupError, FileNotFoundError):
            self._group.send_all(signal.SIGKILL)
        self._group.end()

    def freeze(self) -> None:
        """It and its workers live and do nothing, until ``thaw``."""
        self._group.send_all(signal.SIGSTOP)

    def thaw(self) -> None:
        with suppress(ProcessLookupError):
            self._group.send_all(signal.SIGCONT)

    @property
    def calls(self) -> int:
        """How many connections it has in hand: one each call."""
        ours = f"0100007F:{self.port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1] == ours and row[3] == ESTABLISHED for row in rows)

    def _answers(self) -> bool:
        try:
            # Somebody else may have taken the port between our asking for it and our using it.
            return requests.get(f"{self.url}/alive.txt", timeout=PATIENCE).text == self._alive
        except requests.ConnectionError:
            return False

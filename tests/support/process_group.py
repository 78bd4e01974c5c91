"""A server with all its children, which end when the tests end, however they end.

Knows process groups. Does not know what the server speaks.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.support.waiting import until

__all__ = ["ProcessGroup", "greets"]

GRACE = 5.0  # seconds for an orderly end


#: Ends the group when our end of the pipe closes without a word: when we died. A death signal from the
#: kernel would be lost, because these servers change their user.
WATCH = 'read -r _ || kill -s KILL -- "-$1"'


class ProcessGroup:
    """Started when made. Its output goes to a file, for a person who looks for the reason of a failure."""

    def __init__(self, command: list[str], output: Path, environment: Mapping[str, str]) -> None:
        with output.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        watch = ["/bin/sh", "-c", WATCH, "watch", str(self._process.pid)]
        self._watch = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)

    @property
    def pid(self) -> int:
        """Of the server itself."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server alone, not to its children."""
        self._process.send_signal(number)

    def send_all(self, number: signal.Signals) -> None:
        """Send a signal to the server and its children, those in sessions of their own among them."""
        os.killpg(self._process.pid, number)
        for child in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), number)

    def end(self) -> None:
        """End the server and whatever is left of its children. Repeatable."""
        if self.running:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._watch.poll() is None:
            self._watch.communicate(b"ended\n")


def greets(port: int, group: ProcessGroup, what: str) -> None:
    """Wait until *what* says 220 on *port*; raises RuntimeError if it ends first."""

    def banner() -> bool:
        if not group.running:
            raise RuntimeError(f"{what} ended while starting")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(GRACE)
            return connection.recv(3) == b"220"
        return False

    until(banner, f"greeting of {what}")

"""A node of the campaign: killed and started within a moment, on a clock and a host that the campaign spoils.

Knows its process. Does not know why it is struck.
"""

import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sidecar.domain.send import Send
from sidecar.edges.http_sends import as_json
from tests.chaos.hurried_node import CLOCK, SECONDS
from tests.chaos.node import TOKEN, Node
from tests.chaos.people import ACCEPT
from tests.support.places import free_port

__all__ = ["StruckNode"]

ROOT = Path(__file__).parents[2]
PATIENCE = 10.0  # seconds


class StruckNode(Node):
    """One that is forked from a process which has read everything (hurried_node.py), in *environment*."""

    def __init__(
        self, folder: Path, url: str, wikis: Mapping[str, str], environment: Mapping[str, str], signers: int
    ) -> None:
        self.port = free_port()
        sockets = f'lmtp_tcp = "127.0.0.1:{self.port}"\nverp_processes = {signers}'
        own = {"verp": f"accept_days = {ACCEPT}", "sockets": sockets}
        super().__init__(folder, url, wikis, **own)
        (folder / CLOCK).write_bytes(SECONDS.pack(0))
        command = [sys.executable, "-m", "tests.chaos.hurried_node", str(folder)]
        with (folder / "log").open("ab") as log:
            self._nursery = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.pid, self._handle = 0, -1

    @property
    def running(self) -> bool:
        return self._handle >= 0 and not select.select([self._handle], [], [], 0)[0]

    def start(self) -> None:
        """Does not wait."""
        assert self._nursery.stdin
        assert self._nursery.stdout
        self._nursery.stdin.write(b"\n")
        self._nursery.stdin.flush()
        self._let_go()
        self.pid = int(self._nursery.stdout.readline())
        try:
            self._handle = os.pidfd_open(self.pid)
        except ProcessLookupError:  # it has ended already
            self._handle = -1

    def send(self, number: signal.Signals) -> None:
        """Void for one that has ended."""
        if self.running:
            signal.pidfd_send_signal(self._handle, number)

    def signers(self) -> list[int]:
        """The processes that sign for it, as of now."""
        return [child for child in _children(self.pid) if b"sidecar.signing" in _command(child)]

    def kill(self) -> None:
        """kill -9. Repeatable."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = PATIENCE) -> bool:
        """Whether it has ended within so many seconds."""
        return self._handle < 0 or bool(select.select([self._handle], [], [], seconds)[0])

    def close(self) -> None:
        """For good. Repeatable."""
        self.kill()
        self._let_go()
        self._nursery.kill()
        self._nursery.communicate()

    def clock_wrong_by(self, seconds: float) -> None:
        """From now on."""
        with (self.folder / CLOCK).open("r+b") as file:
            file.write(SECONDS.pack(seconds))

    def descriptors(self) -> int:
        """How many it has open; 0 if it has ended."""
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except FileNotFoundError:
            return 0

    def processor_seconds(self) -> float:
        """That it has used; 0 if it has ended."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def note(self, mails: Sequence[Send]) -> None:
        """As a node without a database tells what it has signed."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.http}/sends",
            json.dumps(as_json(list(mails))).encode(),
            {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE):
            pass

    def _let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""

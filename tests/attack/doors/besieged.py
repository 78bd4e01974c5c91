"""A daemon of its own under attack, and what is asked of it when the attack is over.

Knows how it is started, how its doors are reached, what it booked, and what it holds. Knows no attack.
"""

import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sidecar.edges.socketmap import netstring
from tests.attack.tally import Tally
from tests.support.leaks import secret
from tests.support.sidecar import Sidecar
from tests.support.waiting import until

__all__ = ["MAIL", "PATIENCE", "TOKEN", "Besieged", "besieged", "said"]

PATIENCE = 20.0  # seconds for an answer that is due at once; the machine may be busy
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOKEN = secret("a-besieged-token-0123456789abcdef")
OWN = 8  # descriptors that a daemon opens for itself when it has something to do: the history's files
GROWTH = 300 * 2**20  # octets by which the daemon may grow under attack
ALARMS = re.compile(rb"level='(?:error|critical)'.*|Traceback.*|Exception ignored.*")

#: A bounce of a user, made unlike any other by its number.
MAIL = (
    "From: MAILER-DAEMON@mx.example.org\r\nSubject: Undelivered\r\n"
    "Message-ID: <{number}@attack.example>\r\n\r\nHello {number}\r\n"
)


class Besieged:
    """One daemon."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        http = (
            f'[http]\nlisten = "127.0.0.1:{self.port}"\ntoken_file = "http.token"\nallow = ["127.0.0.1/32"]\n'
        )
        self.sidecar = Sidecar(
            folder,
            wiki="enwiki",
            api="http://127.0.0.1:9/w/api.php",
            account="BounceBot@sidecar",
            password="0123456789abcdefghijklmnopqrstuv",
            verp_socket=folder / "verp.sock",
            mode="shadow",
            more=http,
        )
        (folder / "http.token").touch(0o600)
        (folder / "http.token").write_text(TOKEN)
        self.sidecar.set_clock(NOW)
        self._read = 0

    def start(self) -> None:
        self.sidecar.start()
        self.path = self.ask("verp enwiki 1 somebody@example.org").removeprefix("OK ")
        self._begin = self.held()

    def door(self, name: str) -> socket.socket:
        """A connection to `http`, or to a Unix socket by its name."""
        if name == "http":
            return socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(self.sidecar.folder / f"{name}.sock"))
        return client

    def ask(self, lookup: str) -> str:
        """The wiki's question, on a connection of its own."""
        with self.door("verp") as client:
            client.sendall(netstring(lookup))
            heard = client.recv(2000)
        return heard.partition(b":")[2].removesuffix(b",").decode()

    def held(self) -> tuple[int, int]:
        """Descriptors, and octets of memory, that the daemon holds."""
        process = self.sidecar._process
        assert process is not None
        proc = Path("/proc") / str(process.pid)
        pages = int((proc / "statm").read_text().split()[1])
        return len(list((proc / "fd").iterdir())), pages * 4096

    def booked(self) -> int:
        """Mails in the history."""
        return int(self.sidecar.rows("SELECT count(*) FROM notice")[0][0])

    def audit(self, tally: Tally, attack: bytes) -> None:
        """It lives, answers the wiki, and has nothing to complain of in its log."""
        log = (self.sidecar.folder / "log").read_bytes()
        for alarm in ALARMS.findall(log[self._read :])[:3]:
            tally.wrong(f"in the log: {alarm.decode(errors='replace')[:300]}", attack)
        self._read = len(log)
        if not self.ask("verp enwiki 1 somebody@example.org").startswith("OK wiki-enwiki-1-"):
            tally.wrong("the wiki is not answered", attack)

    def aftermath(self, tally: Tally) -> None:
        """What it held for its attackers, it gives back."""
        descriptors, memory = self._begin
        with suppress(TimeoutError):
            until(lambda: self.held()[0] <= descriptors + OWN, "descriptors", PATIENCE)
        now, grown = self.held()
        tally.remarks.append(
            f"descriptors {descriptors} -> {now}, memory +{(grown - memory) / 2**20:.0f} MiB"
        )
        if now > descriptors + OWN:
            tally.wrong(f"{now - descriptors} descriptors are not given back")
        if grown - memory > GROWTH:
            tally.wrong(f"it grew by {(grown - memory) / 2**20:.0f} MiB")


@contextmanager
def besieged() -> Iterator[Besieged]:
    """Started, and ended in order: a daemon that does not end is a TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="siege-") as folder:
        house = Besieged(Path(folder))
        house.start()
        try:
            yield house
            house.sidecar.stop()
        finally:
            house.sidecar.kill()


def said(client: socket.socket, data: bytes, patience: float, wanted: bytes = b"") -> bytes:
    """What is heard until the door hangs up, says what is *wanted*, or nothing for so many seconds."""
    heard = b""
    with suppress(ConnectionError):
        client.sendall(data)
    client.settimeout(patience)
    with suppress(ConnectionError, TimeoutError):
        while not (wanted and wanted in heard) and (chunk := client.recv(65_536)):
            heard += chunk
    return heard

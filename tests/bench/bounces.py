"""Bounces to deliver: reports of real mail servers, some 5 KB long, each to a return path signed just now.

Knows fixtures/bounces and pour.c, which delivers them. Does not know who takes them.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from sidecar import host
from sidecar.configuration.config import Config
from sidecar.recorded import Recorded, names, recorded
from tests.support.practice import WIKI

__all__ = ["SESSIONS", "Poured", "compiled", "fresh_bounces", "pour", "write_for_pouring"]

SOURCE = Path(__file__).with_name("pour.c")
SESSIONS = 8
LONG = 5000  # octets; the recorded ones are shorter, for what came back in them was a mail of a few words
PATIENCE = 600.0  # seconds for a pass


@dataclass(frozen=True)
class Poured:
    """One pass of pour.c."""

    rate: float  #: mails a second
    p50: float  #: milliseconds from the final dot to the answer
    p99: float
    p999: float


def compiled(folder: Path) -> Path:
    """The program that delivers, made by cc. Raises CalledProcessError or FileNotFoundError."""
    program = folder / "pour"
    subprocess.run(["cc", "-O2", "-pthread", "-o", str(program), str(SOURCE)], check=True, timeout=PATIENCE)
    return program


def fresh_bounces(config: Config, count: int, first_user: int) -> Iterator[tuple[str, bytes]]:
    """(return path, mail): one for each of so many users, as *config* signs."""
    reports = [one for one in map(recorded, names()) if one.kind == "bounce" and b"\n--" in one.raw]
    for number, report in enumerate(islice(cycle(reports), count)):
        user = first_user + number
        address = f"user{user}@remote.example"
        return_path = config.verp.issue(WIKI, user, address, host.now())
        yield return_path, _lengthened(report, address, return_path)


def _lengthened(report: Recorded, address: str, return_path: str) -> bytes:
    """What came back in it was a longer mail."""
    raw = report.addressed(address, return_path)
    end = raw.rindex(b"\n--")
    line = b"\nSomebody has changed a page that you watch, and here is what the bench says of it."
    return raw[:end] + line * max(0, (LONG - len(raw)) // len(line)) + raw[end:]


def write_for_pouring(bounces: Iterator[tuple[str, bytes]], path: Path) -> int:
    """The file that pour.c wants; how many mails are in it."""
    count = 0
    with path.open("wb") as file:
        for return_path, raw in bounces:
            text = raw.replace(b"\r\n", b"\n").replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
            text = (text if text.endswith(b"\r\n") else text + b"\r\n") + b".\r\n"
            file.write(b"%s %d\n%s" % (return_path.encode(), len(text), text))
            count += 1
    return count


def pour(program: Path, socket: str, mails: Path, sessions: int = SESSIONS) -> Poured:
    """Deliver all of *mails*; blocks. Raises RuntimeError if one was not taken, or a session was lost."""
    command = [str(program), socket, str(sessions), str(mails)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    told = json.loads(done.stdout) if not done.returncode else {}
    if not told or told["refused"]:
        raise RuntimeError(f"{socket}: {done.stderr.strip() or told}")
    return Poured(told["taken"] / told["seconds"], told["p50"] / 1e3, told["p99"] / 1e3, told["p999"] / 1e3)

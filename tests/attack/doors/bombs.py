"""Mails that are made to cost their reader much, handed to a daemon of its own by LMTP and HTTP.

What must be: each is taken or refused for its size, and booked once; none costs more than seconds of a
processor, nor all of them much memory; and while they are read, the wiki gets its return paths.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.attack.doors.besieged import PATIENCE, TOKEN, Besieged, besieged, said
from tests.attack.tally import Tally, rounds
from tests.support.bombs import BOMBS

__all__ = ["campaign"]

LIMIT = 10 * 2**20  # octets of a mail that the daemon takes
SIZES = (10_000, 300_000, 2**21, LIMIT - 200, LIMIT - 200, LIMIT + 2**20)
COST = 1.5  # seconds of a processor for one mail, whatever is asked meanwhile included
HOOK = 0.05  # seconds for which a wiki waits for its return path; then the mail leaves without
PAUSE = 0.01  # seconds between two of the wiki's questions
DOORS = ("lmtp", "http")
PEAK = 300 * 2**20  # octets by which the daemon may have been larger than it was


class Wiki(threading.Thread):
    """Asks for return paths, one after the other, and remembers how long each took."""

    def __init__(self, house: Besieged) -> None:
        super().__init__(daemon=True)
        self._house, self._over = house, threading.Event()
        self.waited: list[float] = []
        self.unanswered = 0

    def run(self) -> None:
        while not self._over.wait(PAUSE):
            began = time.monotonic()
            try:
                answered = self._house.ask("verp enwiki 1 somebody@example.org").startswith("OK ")
            except OSError:
                answered = False
            self.unanswered += not answered
            self.waited.append(time.monotonic() - began)

    def close(self) -> None:
        self._over.set()
        self.join()

    def judge(self, tally: Tally) -> None:
        """How long it waited is other programs' doing as well: a remark. An answer that is none is ours."""
        if self.unanswered:
            tally.wrong(f"{self.unanswered} of {len(self.waited)} questions of the wiki were not answered")
        late = sum(one > HOOK for one in self.waited)
        tally.remarks.append(
            f"of {len(self.waited)} questions of the wiki, {late} waited longer than {HOOK * 1000:.0f} ms, "
            f"{max(self.waited, default=0.0) * 1000:.0f} ms at most"
        )


@contextmanager
def _asking(house: Besieged) -> Iterator[Wiki]:
    wiki = Wiki(house)
    wiki.start()
    try:
        yield wiki
    finally:
        wiki.close()


def _proc(house: Besieged, file: str) -> str:
    process = house.sidecar._process
    assert process is not None
    return (Path("/proc") / str(process.pid) / file).read_text()


def _processor(house: Besieged) -> float:
    """Seconds that the daemon has had."""
    fields = _proc(house, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(house: Besieged) -> int:
    """Octets that the daemon held at most."""
    [line] = [line for line in _proc(house, "status").splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def _by_lmtp(house: Besieged, mail: bytes) -> int:
    """The mail with its dots stuffed, and nothing else changed. 0 if nothing was said of it."""
    head = f"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{house.path}>\r\nDATA\r\n".encode()
    stuffed = mail.replace(b"\r\n.", b"\r\n..")
    if mail.startswith(b"."):
        stuffed = b"." + stuffed
    with house.door("lmtp") as client:
        heard = said(client, head + stuffed + b"\r\n.\r\nQUIT\r\n", PATIENCE, b"221 ")
    replies = [line for line in heard.split(b"\r\n") if line[3:4] == b" "]
    return int(replies[-2][:3]) if len(replies) > 1 else 0


def _by_http(house: Besieged, mail: bytes) -> int:
    head = f"POST /bounces?recipient={house.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    with house.door("http") as client:
        wire = f"{head}Connection: close\r\nContent-Length: {len(mail)}\r\n\r\n".encode() + mail
        heard = said(client, wire, PATIENCE)
    return int(heard.split(b" ")[1]) if heard.startswith(b"HTTP/1.1 ") else 0


#: door -> how a mail is handed in, what is said when it is booked, and when it is too big.
WAYS: dict[str, tuple[Callable[[Besieged, bytes], int], int, int]] = {
    "lmtp": (_by_lmtp, 250, 452),
    "http": (_by_http, 200, 413),
}


def _one(house: Besieged, name: str, door: str, chance: Random, tally: Tally) -> float:
    """One bomb; seconds of a processor that it cost."""
    mail = b"X-Bomb: %d\n" % tally.attacks.total() + BOMBS[name](chance, chance.choice(SIZES))
    way, taken, too_big = WAYS[door]
    booked, began = house.booked(), _processor(house)
    status = way(house, mail)
    cost = _processor(house) - began
    tally.count(name)
    wanted = taken if len(mail) <= LIMIT else too_big
    if status != wanted:
        tally.wrong(f"{name} by {door}, {len(mail)} octets: {status}", mail)
    if house.booked() - booked != (status == taken):
        tally.wrong(f"{name} by {door}: {status}, and {house.booked() - booked} were booked", mail)
    if cost > COST:
        tally.wrong(f"{name} by {door}, {len(mail)} octets: {cost:.1f} s of a processor", mail)
    return cost


def campaign(seed: int, seconds: float) -> Tally:
    tally, dearest = Tally(), 0.0
    names = list(BOMBS)
    with besieged() as house:
        before = _peak(house)
        with _asking(house) as wiki:
            for number, chance in enumerate(rounds(seed, seconds, at_least=2 * len(names))):
                name, door = names[number // 2 % len(names)], DOORS[number % 2]
                dearest = max(dearest, _one(house, name, door, chance, tally))
                house.audit(tally, name.encode())
        wiki.judge(tally)
        grown = _peak(house) - before
        if grown > PEAK:
            tally.wrong(f"it was larger by {grown / 2**20:.0f} MiB than before")
        house.aftermath(tally)
    tally.remarks.append(f"the dearest cost {dearest:.2f} s of a processor; {grown / 2**20:.0f} MiB at most")
    return tally

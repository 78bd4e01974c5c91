"""The pipe client between a mail server that hands it anything and a socket that answers anything.

What must be: it ends within its deadline, with a code on which no mail server loses a mail; 0 only if one
mail was confirmed; its words are on one line, begin with its name and do nothing to a terminal.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from random import Random

from sidecar import deliver
from tests.attack.doors.lmtp import mails_of
from tests.attack.tally import Tally, rounds

__all__ = ["campaign"]

CODES = {os.EX_OK, os.EX_TEMPFAIL, os.EX_UNAVAILABLE, os.EX_NOPERM}
DEADLINE = 2  # seconds that the client is given
HANGS = 30.0  # seconds; the machine may be busy

GARBAGE = (
    *(
        b"",
        b"\r\n",
        b"250",
        b"250\n",
        b"250-" + b"x" * 4000,
        b"250-a\r\n" * 200,
        b"999 x\r\n",
        b"2\xff0 x\r\n",
        b"\0" * 99,
    ),
    *(
        b"250 \x1b[2J\x1b[31mOWNED\r\n",
        b"550 5.1.1 \x9b2J\r\n",
        b"550 5.7.1 no\r\n",
        b"451 4.3.0 later\r\n",
        b"-50 x\r\n",
    ),
    *(
        b"250 ok\r\n250 ok\r\n250 ok\r\n",
        b"354 go\r\n",
        b"220 x\r\n",
        b"221 bye\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ),
)
ARGUMENTS = (
    *(
        "--refuse",
        "--sender",
        "--sender=",
        "--sender=a@b",
        "--deadline=nan",
        "--deadline=1e9",
        "--deadline=-1",
        "--",
        "-x",
    ),
    *(
        "one@b",
        "two@b",
        "<one@b>",
        "",
        "--socket",
        "--socket=nowhere",
        "--help",
        "--deadline=٣",
        "\x1b[2J",
        "a\r\nDATA@b",
    ),
    *("ü@b", "\udcff@b", "a" * 5000 + "@b", "--deadline=" + "9" * 400),
)
MAILS = (
    *(
        b"Subject: x\n\nhello\n",
        b"",
        b"\n",
        b".\n",
        b".",
        b"a\n.\nMAIL FROM:<>\n",
        b"a\r\n.\r\nRSET\r\n",
        b"a\r.\rb",
        b"\r",
        b"\0",
    ),
    *(
        b"From x\n",
        b"From x\n" * 3,
        b"From " + b"x" * 3000,
        b"x" * 300_000,
        b"\n." * 20_000,
        b"\r\n.\r\n" * 9,
        b"a\n.\r\nQUIT\r\n",
    ),
)


class Socket(threading.Thread):
    """An LMTP socket that lies as its chance will have it; knows whether it confirmed the last mail."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.chance, self.honest = Random(0), True
        self.confirmed, self.heard = False, b""

    def run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(HANGS)
                try:
                    self._talk(client)
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _talk(self, client: socket.socket) -> None:
        self.heard = b""
        for number, reply in enumerate((b"220 x", b"250 x", b"250 x", b"250 x", b"354 x", b"250 x")):
            end = b"\r\n.\r\n" if number == 5 else b"\r\n"
            while number and not self.heard.endswith(end):
                chunk = client.recv(65_536)
                if not chunk:
                    return
                self.heard += chunk
            lie = not self.honest and self.chance.random() < 0.25
            said = self.chance.choice(GARBAGE) if lie else reply + b"\r\n"
            self.confirmed = number == 5 and said.startswith(b"2")
            client.sendall(said)
            if lie and self.chance.random() < 0.5:
                return


def _one(server: Socket, path: Path, chance: Random, tally: Tally) -> None:
    server.chance, server.honest, server.confirmed = chance, chance.random() < 0.4, False
    wild = chance.random() < 0.5
    arguments = [chance.choice(ARGUMENTS) for _ in range(chance.randrange(4))] if wild else ["one@b"]
    environment = {"RECIPIENT": chance.choice(ARGUMENTS), "SENDER": chance.choice(ARGUMENTS)} if wild else {}
    mail = chance.choice(MAILS)
    given = ["--socket", str(path), f"--deadline={DEADLINE}", *arguments]
    told = repr((given, environment, mail[:200])).encode()
    tally.count("wild arguments" if wild else "wild answers")
    try:
        ended = subprocess.run(
            [os.fsencode(one) for one in (sys.executable, "-IS", deliver.__file__, *given)],
            env={name: os.fsencode(value) for name, value in environment.items()},
            input=mail,
            capture_output=True,
            timeout=HANGS,
        )
    except subprocess.TimeoutExpired:
        tally.wrong("it does not end", told)
        return
    _judge(server, ended, mail, tally, told)


def _judge(
    server: Socket, ended: subprocess.CompletedProcess[bytes], mail: bytes, tally: Tally, told: bytes
) -> None:
    if ended.returncode not in CODES:
        tally.wrong(f"exit code {ended.returncode}: {ended.stderr[-300:]!r}", told)
    if ended.returncode == 0 and not server.confirmed:
        tally.wrong("0, and nobody confirmed the mail", told)
    if ended.returncode == 0 and len(mails_of(server.heard)) != 1:
        tally.wrong(f"{len(mails_of(server.heard))} mails of one", told)
    words = ended.stderr.decode()
    if words and not (
        words.startswith(f"{deliver.NAME}: ") and words.count("\n") == 1 and words[:-1].isprintable()
    ):
        tally.wrong(f"its words are {words[:200]!r}", told)


def campaign(seed: int, seconds: float) -> Tally:
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="pipe-") as folder:
        path = Path(folder) / "lmtp.sock"
        server = Socket(path)
        server.start()
        for chance in rounds(seed, seconds, at_least=15):
            _one(server, path, chance, tally)
        server.close()
    return tally

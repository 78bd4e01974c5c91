"""A wiki that behaves until the step at which it attacks, octet by octet over a real socket.

Knows HTTP as far as a bad answer needs it, and what was asked. Does not know what must come of it.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from tests.support.leaks import secret
from wiki_adapter import Adapter, BotPassword, WikiAccess

__all__ = ["CSRF", "HEADER", "PASSWORD", "Hostile", "Octets", "access_to", "plain", "steps_of"]

PASSWORD = secret("0123456789abcdefghijklmnopqrstuv")
CSRF, LOGIN_TOKEN = "csrf-of-some-length+\\", "login-of-some-length+\\"
HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
PATIENCE = 10.0  # seconds for what a client does not say

Octets = Callable[[], Iterator[bytes]]  #: what is answered, piece by piece, perhaps without end

ANSWERS: dict[str, object] = {
    "login token": {"query": {"tokens": {"logintoken": LOGIN_TOKEN}}},
    "login": {"login": {"result": "Success"}},
    "csrf token": {"query": {"tokens": {"csrftoken": CSRF}}},
    "emailbounce": {"emailbounce": {"result": "already"}},
}


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    path: str
    fields: dict[str, str]
    said: bytes  #: all of it


class Hostile:
    """Serves from construction until ``close``. *attack* is its answer at the step *at*."""

    def __init__(self, at: str = "", attack: Octets | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._at, self._attack = at, attack
        self.asked: list[Asked] = []
        self._line: socket.socket | None = None  # that is being answered
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)  # else an answer without end waits to be read
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError), line:
                self._line = line
                line.settimeout(PATIENCE)
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        asked = _read(line)
        self.asked.append(asked)
        step = steps_of(asked.fields)
        if step == self._at and self._attack:
            for octets in self._attack():
                line.sendall(octets)
        else:
            line.sendall(plain(ANSWERS.get(step, {})))


def plain(answer: object) -> bytes:
    """*answer* as a healthy wiki would send it."""
    body = json.dumps(answer).encode()
    return HEADER + b"Content-Length: %d\r\n\r\n" % len(body) + body


def steps_of(fields: dict[str, str]) -> str:
    """The step of our conversation that a request with these *fields* is."""
    action = fields.get("action", "")
    return f"{fields.get('type', '')} token" if action == "query" else action


def access_to(wiki: Hostile, adapter: Adapter = Adapter.MWCLIENT, answer_timeout: float = 2.0) -> WikiAccess:
    url, bot = f"{wiki.origin}/w/api.php", BotPassword("BounceBot@sidecar", PASSWORD)
    return WikiAccess(url, bot, "ops@wiki.example.org", adapter, answer_timeout=answer_timeout)


def _read(line: socket.socket) -> Asked:
    """One request of a client that means well."""
    said = b""
    while b"\r\n\r\n" not in said:
        if not (more := line.recv(65536)):
            raise ConnectionResetError
        said += more
    head, _, body = said.partition(b"\r\n\r\n")
    words = dict(field.lower().split(b": ", 1) for field in head.split(b"\r\n")[1:])
    while len(body) < int(words.get(b"content-length", b"0")):
        body += line.recv(65536)
    url = urlsplit(head.split(b" ")[1].decode())
    fields = dict(parse_qsl(url.query) + parse_qsl(body.decode()))
    return Asked(url.path, fields, head + b"\r\n\r\n" + body)

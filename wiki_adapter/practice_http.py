"""HTTP around the practice wiki: one request a connection, on 127.0.0.1.

Knows methods, parameters and the cookie. Does not know what is asked nor what is answered.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

__all__ = ["COOKIE", "PracticeServer", "Reply", "Request", "page"]

COOKIE = "practicewiki_session"
LONGEST_BODY = 1_000_000  # octets; our requests have a few hundred


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    parameters: Mapping[str, str]  #: of the query, or of a POST's body
    cookie: str  #: "" for none
    user_agent: str
    authorization: str = ""  #: the header
    url: str = ""  #: the whole one, with its query
    body: str = ""
    content_type: str = ""  #: of the body


@dataclass(frozen=True)
class Reply:
    """One HTTP response."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = "application/json; charset=utf-8"


def page(status: int, words: str, **headers: str) -> Reply:
    """A response for people; header names with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(f"<!DOCTYPE html><title>{words}</title>", status, named, "text/html; charset=utf-8")


class PracticeServer(ThreadingHTTPServer):
    """Serves from construction until ``close``, a thread a request. Raises OSError if the port is taken."""

    daemon_threads = True  # one that hangs ends with the process
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Reply], port: int = 0) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), name="practice-wiki", daemon=True).start()

    def close(self) -> None:
        """No more answers; the port is free again."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: PracticeServer
    timeout = 30.0  # seconds; a client that says nothing

    def do_GET(self) -> None:
        self._serve(urlsplit(self.path).query, "")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        octets = min(int(length), LONGEST_BODY) if length.isdigit() else 0
        body = self.rfile.read(octets).decode("utf-8", "replace")
        self._serve(body, body)

    def _serve(self, parameters: str, body: str) -> None:
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        given = dict(parse_qsl(parameters, keep_blank_values=True))
        cookie = morsel.value if morsel else ""
        asked = Request(
            self.command,
            urlsplit(self.path).path,
            given,
            cookie,
            self.headers.get("User-Agent", ""),
            self.headers.get("Authorization", ""),
            self.server.url + self.path,
            body,
            self.headers.get("Content-Type", ""),
        )
        reply = self.server.answer(asked)
        said = reply.body.encode()
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Type": reply.type}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the client has stopped waiting
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a demonstration has its own words."""

"""A wiki that never ends its answer: cut off as a whole, in its header, its body, and again."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from sidecar.domain.wiki import WikiUnavailable
from tests.unit.wiki_adapter.scripted_wiki import ACTION
from wiki_adapter import BotPassword, WikiAccess, open_wiki

PATIENCE = 0.3  # seconds for a whole answer
BOT = BotPassword("BounceBot@sidecar", "a" * 32)
HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = HEADER + b"Transfer-Encoding: chunked\r\n\r\n"


class Dripping:
    """Says *at once*, then a drop again and again until nobody listens."""

    def __init__(self, at_once: bytes, drop: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.asked = 0
        self._at_once, self._drop = at_once, drop
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/w/api.php"

    def _serve(self) -> None:
        while not self._end.is_set():
            with suppress(OSError):
                connection, _ = self.listener.accept()
                self._drip(connection)

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            self.asked += 1
            connection.sendall(self._at_once)
            while not self._end.wait(0.02):
                connection.sendall(self._drop)

    def close(self) -> None:
        self._end.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.listener.close()


@pytest.fixture(params=[(HEADER, b"X-Drop: 1\r\n"), (BODY, b"1\r\n \r\n")], ids=["header", "body"])
def dripping(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    server = Dripping(*request.param)
    yield server
    server.close()


def test_an_answer_that_drips_is_cut_off_and_not_asked_for_again(dripping: Dripping) -> None:
    access = WikiAccess(dripping.url, BOT, "", answer_timeout=PATIENCE)
    wiki = open_wiki(access)
    for asked in (1, 2):  # the second time on a new connection
        start = time.monotonic()
        with pytest.raises(WikiUnavailable, match=r"no whole answer within 0\.3 s"):
            wiki.perform(ACTION)
        assert time.monotonic() - start < 20, "not the read timeout's endless patience"
        assert dripping.asked == asked


def test_an_answer_of_a_size_that_is_none_of_the_api_is_not_read() -> None:
    big = Dripping(HEADER + b"Content-Length: 99999999\r\n\r\n", b"x")
    try:
        access = WikiAccess(big.url, BOT, "")
        with pytest.raises(WikiUnavailable, match="99999999 octets"):
            open_wiki(access).perform(ACTION)
    finally:
        big.close()

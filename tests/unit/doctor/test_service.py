"""What systemd's properties and the doors over HTTP say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sidecar.configuration.configured import DashboardConfig, HttpConfig, Listen
from sidecar.doctor import service
from sidecar.domain.admission import Admission
from sidecar.domain.finding import State
from tests.support.places import free_port

ACTIVE = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "NRestarts": "0"}


@pytest.mark.parametrize(
    ("said", "states", "words"),
    [
        ({"UnitFileState": "enabled"}, [State.OK], "is active (running)"),
        ({"NRestarts": "4"}, [State.WARN], "was restarted 4 times"),
        ({"UnitFileState": "disabled"}, [State.OK, State.WARN], "is not started when this host boots"),
        ({"ActiveState": "failed", "Result": "exit-code"}, [State.WRONG], "is failed (exit-code)"),
        ({"ActiveState": "inactive", "Result": "success"}, [State.WRONG], "is inactive"),
        ({"LoadState": "not-found"}, [State.WRONG], "there is no bounce-sidecar.service"),
    ],
)
def test_each_state_of_the_unit(said: dict[str, str], states: list[State], words: str) -> None:
    found = list(service.unit_said(ACTIVE | said))
    assert [one.state for one in found] == states
    assert words in found[-1].what


@contextmanager
def answering(status: int, words: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path in ("/readyz", "/metrics") else 404)
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def listening(http: int, metrics: int, dashboard: DashboardConfig | None = None) -> Listen:
    path = Path("/nowhere")
    return Listen(
        verp=path, verp_group="", lmtp=path, policy=path, socketmap=None, mta_group="", lmtp_tcp=None,
        max_mail_bytes=1, metrics=("0.0.0.0", metrics), http=HttpConfig(("127.0.0.1", http), "", "", (), ()),
        dashboard=dashboard,
    )  # fmt: skip


def test_doors_that_answer() -> None:
    with answering(200, "Ready\n") as port:
        found = list(service.door_findings(listening(port, port)))
    assert [(one.state, one.what) for one in found] == [
        (State.OK, f"[http] listen: 127.0.0.1:{port}/readyz answers"),
        (State.OK, f"[metrics] listen: 127.0.0.1:{port}/metrics answers"),
    ]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_the_dashboard_is_there_or_not(address: str) -> None:
    def told(port: int) -> tuple[State, str]:
        shown = DashboardConfig((address, port), Admission("", b""))
        *_, line = service.door_findings(listening(free_port(), free_port(), shown))
        return line.state, line.what

    with answering(200, "") as port:
        assert told(port) == (State.OK, f"[dashboard] listen: http://127.0.0.1:{port} takes connections")
    assert told(free_port())[0] is State.WRONG


def test_the_node_that_is_told_of_what_is_signed() -> None:
    with answering(200, "") as port:
        (line,) = service.notes_findings(f"http://127.0.0.1:{port}")
        assert line.state is State.OK
    (line,) = service.notes_findings(f"http://127.0.0.1:{free_port()}")
    assert (line.state, "takes no connection" in line.what) == (State.WRONG, True)


def test_one_that_is_not_ready_says_why_and_one_that_is_shut_is_told() -> None:
    with answering(503, "The database does not answer\n") as port:
        first, second = service.door_findings(listening(port, free_port()))
    assert (first.state, "says 503 The database does not answer" in first.what) == (State.WRONG, True)
    assert (second.state, "does not answer" in second.what) == (State.WRONG, True)

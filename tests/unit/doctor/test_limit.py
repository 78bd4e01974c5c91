"""A peer that neither answers nor hangs up does not hold the doctor."""

import socket
import threading
from pathlib import Path
from time import monotonic

import pytest

from sidecar.doctor import round as rounds
from sidecar.doctor import talking
from sidecar.doctor.limit import TookTooLong, within
from sidecar.domain.finding import State


def test_what_lasts_is_ended_and_what_does_not_is_left_alone() -> None:
    begun = monotonic()
    with pytest.raises(TookTooLong, match=r"no end within 0\.1 s"), within(0.1):
        threading.Event().wait(20)
    assert monotonic() - begun < 10
    with within(20):
        pass


def test_the_line_says_so() -> None:
    (line,) = rounds.looked_at("daemon", lambda: [threading.Event().wait(20)], patience=0.1)  # type: ignore[list-item]
    assert (line.state, line.subject, line.what) == (State.UNKNOWN, "daemon", "no end within 0.1 s")


def test_a_check_that_breaks_says_where_and_the_next_one_goes_on() -> None:
    (line,) = rounds.looked_at("daemon", lambda: [1 / 0])  # type: ignore[list-item]
    assert line.state is State.UNKNOWN
    assert line.what.startswith("the check broke: ZeroDivisionError at test_limit.py:")


def test_a_socket_that_drips_is_given_up(short_folder: Path) -> None:
    path, over = short_folder / "drip.sock", threading.Event()

    def drip() -> None:
        line, _ = listener.accept()
        with line:
            while not over.wait(0.02):
                line.sendall(b"x")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=drip)
        thread.start()
        said = talking.lmtp(path, patience=0.3)
        over.set()
        thread.join()
    assert set(said) == {"x"}

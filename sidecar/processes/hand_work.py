"""What a hand does in its own process: one thing after the other, until nobody wants any more.

Imports no more than the worker needs. Does not know the work. A frame holds a number and what pickle makes of
a thing; its answer has the same number, and behind it what pickle makes of that, or nothing: do it yourself.
"""

import os
import pickle
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sidecar.processes.frames import frame_from, framed
from sidecar.processes.ties import end_after

__all__ = ["NUMBER", "main"]

NUMBER = 8  # octets
READY = b"ready"


def main(channel: str) -> None:
    """The other process. The first frame is the worker, who is called with each of the others."""
    end_after(lambda: os.read(0, 1))  # standard input says nothing, and ends with who holds its other end
    peer = socket.socket(fileno=int(channel))  # not closed: what ends us is said before anybody hears of it
    asked = peer.makefile("rb")
    with suppress(ConnectionError):
        if not (frame := frame_from(asked)):
            return  # given up before it was begun
        worker = pickle.loads(frame[NUMBER:])  # of who has started us
        peer.sendall(framed(frame[:NUMBER] + READY))
        while frame := frame_from(asked):
            peer.sendall(framed(frame[:NUMBER] + _answer(worker, frame[NUMBER:])))


def _answer(worker: Callable[[Any], Any], frame: bytes) -> bytes:
    try:
        return pickle.dumps(worker(pickle.loads(frame)))
    except Exception:  # who does it himself sees what is wrong, and says so
        return b""

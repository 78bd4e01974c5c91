"""Where the lines of the log go: a stream on which lines may be lost, so that nobody waits for its reader.

A pipe whose reader stands still, a journal that hangs, a terminal that somebody has stopped with Ctrl-S, a
full disk: what is booked is answered all the same, and the wiki gets its return paths. Knows octets and room
for them. Does not know what a line says.
"""

import contextlib
import os
import select
from collections import deque
from typing import TextIO

__all__ = ["LogStream"]

KEPT = 1024 * 1024  # octets that wait for a reader; what comes after them is lost
PIECE = select.PIPE_BUF  # octets that can be written without waiting where there is room at all: pipe(7)


class LogStream:
    """A stream to print lines on, for one printer at a time. Raises nothing, and waits for nothing.

    What finds no room is written before the next line that does.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._said = stream, ""
        self._waiting: deque[bytes] = deque()
        self._octets = 0  #: that wait
        self._lost = 0
        self._room: select.poll | None = None
        with contextlib.suppress(OSError, ValueError):  # a stream in memory has no number
            self._number = stream.fileno()
            self._room = select.poll()
            self._room.register(self._number, select.POLLOUT)

    def write(self, text: str) -> None:
        """A part of a line."""
        self._said += text

    def flush(self) -> None:
        """The line is whole."""
        said, self._said = self._said, ""
        try:
            if self._room is None:
                self._stream.write(said)
                self._stream.flush()
            else:
                self._write_all(self._room)
                self._keep(said.encode("utf-8", "backslashreplace"))
                self._write_all(self._room)
        except (OSError, ValueError):  # the disk is full, or the reader gone
            self._lost += 1

    def take_lost(self) -> int:
        """How many lines were lost since it was told last; 0 as long as who tells it might be lost, too."""
        if self._octets > KEPT // 2:
            return 0
        lost, self._lost = self._lost, 0
        return lost

    def _keep(self, line: bytes) -> None:
        if self._octets + len(line) > KEPT:
            self._lost += 1
            return
        self._octets += len(line)
        self._waiting.append(line)

    def _write_all(self, room: select.poll) -> None:
        """As far as there is room. Raises OSError; then the line is lost."""
        while self._waiting and room.poll(0):
            line = self._waiting.popleft()
            self._octets -= len(line)
            written = os.write(self._number, line[:PIECE])
            if rest := line[written:]:
                self._waiting.appendleft(rest)
                self._octets += len(rest)

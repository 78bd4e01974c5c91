"""The log's reader may stand still, or be slow, or gone: whoever writes a line goes on at once."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest
import structlog

from sidecar.journal import configure_logging
from sidecar.log_stream import KEPT, LogStream

LINE = "a line of the log, as long as most are: " + "x" * 300
PATIENCE = 20.0  # seconds; who waits for a reader waits for ever


class Pipe:
    """A log that is read when the test wants it."""

    def __init__(self) -> None:
        self._end, end = os.pipe()
        self.stream = open(end, "w")  # noqa: SIM115

    def read(self) -> str:
        """All that is in it now."""
        os.set_blocking(self._end, False)
        read = b""
        try:
            while piece := os.read(self._end, 1 << 20):
                read += piece
        except BlockingIOError:
            pass
        return read.decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._end)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def in_time(work: threading.Thread) -> None:
    work.start()
    work.join(PATIENCE)
    assert not work.is_alive(), "it waits for the log's reader"


def lines(stream: LogStream, first: int, count: int) -> None:
    for number in range(first, first + count):
        print(f"{number} {LINE}", file=stream, flush=True)


def test_nobody_waits_for_a_reader_who_stands_still_and_what_was_kept_comes_in_its_order(pipe: Pipe) -> None:
    stream = LogStream(pipe.stream)
    in_time(threading.Thread(target=lines, args=(stream, 0, 1000), daemon=True))
    read = ""
    while piece := pipe.read():
        read += piece
        stream.flush()
    assert read.splitlines() == [f"{number} {LINE}" for number in range(1000)]
    assert stream.take_lost() == 0


def test_what_is_kept_is_bounded_and_how_many_were_lost_is_known(pipe: Pipe) -> None:
    stream, count = LogStream(pipe.stream), 3 * KEPT // len(LINE)
    in_time(threading.Thread(target=lines, args=(stream, 0, count), daemon=True))
    assert stream.take_lost() == 0, "who would tell it might be lost, too"
    read = ""
    while piece := pipe.read():
        read += piece
        stream.flush()
    numbers = [int(line.split()[0]) for line in read.splitlines()]
    assert numbers == list(range(len(numbers)))
    assert stream.take_lost() == count - len(numbers) > count / 3
    assert stream.take_lost() == 0


def test_a_line_longer_than_the_pipe_is_written_piece_by_piece(pipe: Pipe) -> None:
    stream, long = LogStream(pipe.stream), "y" * 300_000
    in_time(threading.Thread(target=lambda: print(long, file=stream, flush=True), daemon=True))
    read = ""
    while piece := pipe.read():
        read += piece
        stream.flush()
    assert read == long + "\n"


@pytest.mark.slow
def test_the_next_line_says_how_many_were_lost(pipe: Pipe) -> None:
    with redirect_stderr(pipe.stream):
        configure_logging("info", "json")
    log = structlog.get_logger()

    def say() -> None:
        for number in range(2 * KEPT // 300):
            log.info("notice", number=number)

    in_time(threading.Thread(target=say, daemon=True))
    told = ""
    for _ in range(2 * KEPT // 65536):  # a pipe's room at a time
        told += pipe.read()
        log.info("and on")
    facts = [json.loads(line).get("bounce_sidecar", {}) for line in told.splitlines()]
    numbers = [fact["number"] for fact in facts if "number" in fact]
    [lost] = [fact["lines_lost"] for fact in facts if "lines_lost" in fact]
    assert lost + len(numbers) == 2 * KEPT // 300
    assert lost > 0

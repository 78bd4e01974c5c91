"""The process: it signs, and tells the daemon several times a second what that must know.

Knows how to serve the socket by what the daemon says. Has no log, no signals and no files of its own: it ends
when it is told to, or when the daemon ends.
"""

import asyncio
import logging
import os
import socket
from collections import Counter, deque
from typing import NoReturn

import structlog
import uvloop

from sidecar.clock import now
from sidecar.edges.busy_poll import BusyPoll
from sidecar.edges.unix_socket import UnixSocket
from sidecar.edges.verp_socket import VerpSocket
from sidecar.processes.wire import Wire
from sidecar.services.notes import Signed
from sidecar.services.receipt import Receipt
from sidecar.services.refusals import TOLD, Refusals
from sidecar.services.return_path import ReturnPaths
from sidecar.services.watched import Watched
from sidecar.signing.words import (
    DOOR,
    Begin,
    Counted,
    End,
    Line,
    Refused,
    Serving,
    Told,
    Use,
    Using,
    Watch,
    WatchAll,
    spelled,
    word,
)
from sidecar.telemetry import Door, Metrics

__all__ = ["main"]

BEAT = 0.25  # seconds between what is told
BUSY_POLL = 50e-6  # seconds; a peer's own time between two questions, and some more
LINES = 100  # of the log that wait to be told; what would say more is limited where it is said
UNHEARD = 2**20  # octets that the daemon, being busy, has not taken: then the rest is told later


def main(numbers: str) -> None:
    """Signs on the socket with the second number, as is told through that with the first."""
    channel, listener = map(int, numbers.split())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_live(socket.socket(fileno=channel), socket.socket(fileno=listener)))


async def _live(channel: socket.socket, listener: socket.socket) -> None:
    words: asyncio.Queue[object] = asyncio.Queue()
    # Without the daemon, nobody is left to sign for.
    wire = await Wire.over(channel, lambda said: words.put_nowait(word(said)), lambda: os._exit(0))
    begin = await words.get()
    assert isinstance(begin, Begin)
    worker = _Worker(begin, wire)
    listener.setblocking(False)
    await worker.door.serve(UnixSocket.passed(listener))
    wire.say(spelled(Serving()))
    async with asyncio.TaskGroup() as life:  # whatever fails ends all, and another process takes our place
        beat = life.create_task(worker.beat())
        while not isinstance(told := await words.get(), End):
            worker.obey(told)
        beat.cancel()
    await worker.door.close()
    worker.tell()
    wire.hang_up()
    await asyncio.Event().wait()  # for the daemon to have taken it all, which ends us


class _Worker:
    def __init__(self, begin: Begin, wire: Wire) -> None:
        self._wire, self._metrics = wire, Metrics()
        self._refusals, self._lines = _Refusals(self._metrics), deque[Line](maxlen=LINES)
        self._watched = (Signed if begin.everybody else Watched)(self._metrics)
        self._watched.users = begin.users
        self._paths = ReturnPaths(begin.verp, now, self._metrics, self._refusals, self._watched)
        self._before = self._metrics.signing_numbers()
        busy_poll = BusyPoll(asyncio.get_running_loop(), BUSY_POLL)
        self.door = VerpSocket(self._paths, door=Door(self._metrics, DOOR), busy_poll=busy_poll)
        structlog.configure(
            [structlog.processors.add_log_level, self._keep],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        )

    def obey(self, told: object) -> None:
        """Between two answers."""
        match told:
            case Use(verp, number):
                self._paths.use(verp)
                self._wire.say(spelled(Using(number)))
            case Watch(wiki, user_id, watched):
                self._watched.watch(wiki, user_id, watched=watched)
            case WatchAll(users):
                self._watched.watch_all(users)

    async def beat(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(BEAT)
            if self._wire.unheard() < UNHEARD:
                self.tell()

    def tell(self) -> None:
        """All that has happened since the last time."""
        watched, self._watched.numbers = self._watched.numbers, Counter()
        sends = [signing.send() for signing in self._watched.signings]
        self._watched.signings.clear()
        lines = list(self._lines)
        self._lines.clear()
        counted = self._counted()
        told = Told(watched, self._watched.last, sends, counted, self._refusals.taken(), lines)
        self._wire.say(spelled(told))

    def _counted(self) -> Counted:
        numbers = self._metrics.signing_numbers()
        since, self._before = numbers - self._before, numbers
        took = self._metrics.answer_seconds.labels(DOOR).taken()
        return Counted(since, took, len(self.door.connections))

    def _keep(self, _logger: object, _method: str, line: structlog.typing.EventDict) -> NoReturn:
        """A line of the log is the daemon's to write."""
        level, event = line.pop("level"), line.pop("event")
        self._lines.append(Line(level, event, dict(line)))
        raise structlog.DropEvent


class _Refusals(Refusals):
    """The daemon counts and tells them, for all processes together."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._waiting: dict[Receipt, Refused] = {}

    def note(self, receipt: Receipt, why: str) -> None:
        before = self._waiting.get(receipt, Refused(0, []))
        whys = [*before.whys, why] if before.number < TOLD else before.whys
        self._waiting[receipt] = Refused(before.number + 1, whys)

    def taken(self) -> dict[Receipt, Refused]:
        taken, self._waiting = self._waiting, {}
        return taken

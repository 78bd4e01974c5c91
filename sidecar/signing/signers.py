"""The daemon's side: it starts the processes, tells them by what to sign, and hears what they have signed.

Knows each process as long as it lives, and starts another when it ends. Does not answer anybody itself: it
holds the socket, so that whoever connects while a process is started anew waits for that.
"""

import asyncio
import socket
from contextlib import suppress

import structlog

from sidecar.domain.verp import Verp
from sidecar.edges.unix_socket import CannotListen, UnixSocket
from sidecar.processes.child import Child
from sidecar.services.return_path import ReturnPaths
from sidecar.services.watched import Users
from sidecar.signing import begin
from sidecar.signing.words import (
    DOOR,
    Begin,
    Counted,
    End,
    Serving,
    Told,
    Use,
    Using,
    Watch,
    WatchAll,
    spelled,
    word,
)
from sidecar.telemetry import Metrics, report

__all__ = ["Signers"]

START = 60.0  # seconds until it serves; some 0.3 on an idle host
USE = 10.0  # seconds until it signs by new orders; who takes longer is replaced by one that does
SILENT = 10.0  # seconds; it tells what it did four times in each: then it hangs
GRACE = 5.0  # seconds for an orderly end
PAUSE = 1.0  # seconds until another takes the place of one that ended: it may end at once, too
UNHEARD = 64 * 2**20  # octets that a process has not taken: it hangs

log = structlog.get_logger()


class Signers:
    """So many processes that sign as *paths* would; what they do is counted, noted and told as its own."""

    def __init__(self, many: int, paths: ReturnPaths, metrics: Metrics) -> None:
        self._paths, self._metrics = paths, metrics
        self._places = [_Place(self) for _ in range(many)]
        self._keeping: list[asyncio.Task[None]] = []
        self._socket: UnixSocket | None = None
        self.orders = 0  #: how often they have changed
        self.closing = False
        metrics.connections.labels(DOOR).set_function(lambda: sum(place.open for place in self._places))

    async def serve(self, socket: UnixSocket) -> None:
        """Returns when all of them do. Raises CannotListen."""
        self._socket = socket
        self._keeping = [
            asyncio.create_task(self._keep(place, socket), name="signing") for place in self._places
        ]
        self._paths.follower = self._paths.watched.follower = self
        try:
            async with asyncio.timeout(START):
                for place in self._places:
                    await place.serving.wait()
        except TimeoutError:
            raise CannotListen("the processes that sign do not start; the log may say why") from None

    def use(self, verp: Verp) -> None:
        """Sign by this from now on."""
        self.orders += 1
        for place in self._places:
            place.say(Use(verp, self.orders))

    async def used(self) -> None:
        """All sign by what was said last; a process that does not say so is replaced by one that does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(USE):
                for place in self._places:
                    await place.has_used(self.orders)
        for place in self._places:
            if place.is_behind(self.orders):
                await place.end()

    def watch(self, wiki: str, user_id: int, *, watched: bool) -> None:
        """From now on, this user is watched, or no longer."""
        for place in self._places:
            place.say(Watch(wiki, user_id, watched))

    def watch_all(self, users: Users) -> None:
        """These and nobody else."""
        for place in self._places:
            place.say(WatchAll(users))

    async def close(self) -> None:
        """Have all who have connected answered, and hear the last of what was signed. Repeatable."""
        if self.closing or self._socket is None:
            return
        self.closing = True
        self._paths.follower = self._paths.watched.follower = None
        self._socket.remove()
        for place in self._places:
            place.say(End())
        _, late = await asyncio.wait(self._keeping, timeout=GRACE)
        for place in self._places if late else ():
            place.kill()
        await asyncio.wait(self._keeping)
        self._socket.listener.close()

    async def _keep(self, place: "_Place", socket: UnixSocket) -> None:
        """There is one in this place until we close."""
        while not self.closing:
            try:
                child = await place.live(socket.listener)
                code = await child.gone()
                if not self.closing:
                    self._metrics.signing_processes_lost.inc()
                    log.error("a signing process ended", code=code, pid=child.pid, hung=child.hung)
            except Exception as error:  # a loop: the host may have no process to give
                report(log, "no process to sign", error)
            if not self.closing:
                await asyncio.sleep(PAUSE)

    def begin(self) -> Begin:
        """What a new process is told first."""
        watched = self._paths.watched
        return Begin(self._paths.verp, watched.users, watched.everybody)

    def told(self, told: Told) -> None:
        """By one of them: what has happened since the last time."""
        watched, refusals = self._paths.watched, self._paths.refusals
        watched.signed_here(told.signed, told.last)
        watched.note(told.sends)
        self._count(told.counted)
        for receipt, refused in told.refused.items():
            for why in refused.whys:
                refusals.note(receipt, why)
            refusals.note_more(receipt, refused.number - len(refused.whys))
        for line in told.lines:
            getattr(log, line.level)(line.event, **line.facts)

    def _count(self, counted: Counted) -> None:
        self._metrics.add(counted.numbers)
        self._metrics.answer_seconds.labels(DOOR).add(counted.took)


class _Place:
    """A place among the signers, and the process that has it."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._child: Child | None = None  #: to who is told by what to sign
        self.serving = asyncio.Event()
        self._using, self._heard = 0, asyncio.Event()
        self.open = 0  #: connections

    async def live(self, listener: socket.socket) -> Child:
        """The life of one process. Raises OSError if there can be none."""
        ended = asyncio.Event()
        child = await Child.begin(begin.__name__, listener, hear=self._hear, lost=ended.set)
        try:
            self._child, self._using = child, self._signers.orders
            self.say(self._signers.begin())
            if self._signers.closing:
                self.say(End())
            await ended.wait()
        finally:
            self._child, self.open = None, 0
            self._heard.set()
            child.end()
        return child

    def say(self, what: object) -> None:
        """To who lives; another will begin with what is said by then."""
        if self._child:
            self._child.say(spelled(what))
            if self._child.unheard() > UNHEARD:
                self.kill()

    async def has_used(self, orders: int) -> None:
        """Returns when it is no longer behind."""
        while self.is_behind(orders):
            self._heard.clear()
            await self._heard.wait()

    def is_behind(self, orders: int) -> bool:
        """Signs by older ones; not if there is nobody, for who comes begins with these."""
        return self._child is not None and self._using < orders

    def kill(self) -> None:
        """Who has ended already does not feel it."""
        if self._child:
            self._child.end()

    async def end(self) -> None:
        """``kill``; returns when it signs no more."""
        if child := self._child:
            child.end()
            await child.gone()

    def _hear(self, said: bytes) -> None:
        match told := word(said):
            case Serving():
                self.serving.set()
                if self._child:
                    self._child.watch(SILENT)
            case Using(number):
                self._using = number
                self._heard.set()
            case Told():
                self.open = told.counted.open
                self._signers.told(told)

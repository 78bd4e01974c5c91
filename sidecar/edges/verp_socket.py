"""The socket that signs and recognises return paths: two lookups in Postfix's socketmap protocol.

    verp <wiki> <user id> <address>  ->  OK <return path>
    bounce <address>                 ->  OK <wiki> <user id>  |  NOTFOUND [reason]

Knows the lookups and the connections. Does not know keys, wikis or the time. Each mail of the wiki waits for
the first lookup: no task, no lock and no file on the way.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import structlog

from sidecar.domain.verp import Expired, Forged, NotOurs, TooLong, UnknownWiki
from sidecar.edges import replies, socketmap
from sidecar.edges.deadline import Deadline
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.edges.unix_socket import MODE, UnixSocket
from sidecar.services.receipt import Receipt
from sidecar.telemetry import report

__all__ = ["Limits", "Lookups", "ReturnPaths", "VerpSocket"]

BACKLOG = 1024  # connections not yet accepted; each web request that mails may open one, within 50 ms

_USER_ID = re.compile(r"[1-9][0-9]*")
_REFUSALS = {NotOurs: Receipt.NOT_OURS, Forged: Receipt.FORGED, Expired: Receipt.TOO_LATE}

log = structlog.get_logger()


class Token(Protocol):
    """What `bounce` tells of a return path."""

    @property
    def wiki(self) -> str: ...
    @property
    def user_id(self) -> int: ...


class ReturnPaths(Protocol):
    """What this door may ask. Pure computation: neither blocks nor waits."""

    def issue(self, wiki: str, user_id: int, address: str) -> str:
        """The return path for one mail to *address*. Raises UnknownWiki or TooLong."""
        ...

    def recognise(self, address: str) -> Token:
        """What a return path of ours says. Raises NotOurs, Forged, Expired or UnknownWiki."""
        ...


@dataclass(frozen=True)
class Limits:
    """What one peer may cost."""

    idle: float = (
        600.0  #: seconds; PHP and Postfix keep connections, Postfix closes its own after 10 (max_idle)
    )
    write: float = 10.0  #: seconds that a peer may leave replies unread
    connections: int = 500  #: at once; half of the usual 1024 file descriptors


class Lookups:
    """One request, one reply; never raises."""

    def __init__(self, return_paths: ReturnPaths) -> None:
        self._return_paths = return_paths
        self._lookups = {"verp": self._verp, "bounce": self._bounce}

    def __call__(self, name: str, key: str) -> str:
        lookup = self._lookups.get(name)
        if lookup is None:
            return replies.UNKNOWN_LOOKUP
        try:
            return lookup(key)
        except Exception as error:  # a door: unforeseen is temporary
            report(log, "lookup failed", error)
            return TROUBLE.socketmap

    def _verp(self, key: str) -> str:
        wiki, _, rest = key.partition(" ")
        user_id, _, address = rest.partition(" ")
        if not wiki or not user_id or not address:
            return replies.EXPECTED_VERP
        if not _USER_ID.fullmatch(user_id):
            return replies.BAD_USER_ID
        if "@" not in address:
            return replies.BAD_ADDRESS
        try:
            return replies.verp(self._return_paths.issue(wiki, int(user_id), address))
        except UnknownWiki:
            return replies.UNKNOWN_WIKI
        except TooLong:
            return replies.RETURN_PATH_TOO_LONG

    def _bounce(self, key: str) -> str:
        """No key is malformed, only not ours: Postfix asks for "@domain" and for bare local parts, too."""
        if not key:
            return replies.EXPECTED_BOUNCE
        try:
            token = self._return_paths.recognise(key)
        except tuple(_REFUSALS) as refused:
            return REPLIES[_REFUSALS[type(refused)]].socketmap
        except UnknownWiki:
            return replies.WIKI_NOT_CONFIGURED
        return replies.verified(token.wiki, token.user_id)


class VerpSocket:
    """Serves both lookups on one Unix socket."""

    def __init__(self, return_paths: ReturnPaths, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.lookups = Lookups(return_paths)
        self.room = self.limits.connections  #: that may be open at once; none when we close
        self.connections: set[_Connection] = set()
        self._socket: UnixSocket | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, path: Path, *, mode: int = MODE, group: str | None = None) -> None:
        """Serve from now on. Raises CannotListen."""
        self._socket = UnixSocket.open(path, mode=mode, group=group, backlog=BACKLOG)
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Connection(self), sock=self._socket.listener, backlog=BACKLOG
        )

    async def close(self) -> None:
        """Stop listening and hang up; what was asked is answered already. Repeatable."""
        self.room = 0
        if self._server is not None and self._socket is not None:
            self._socket.remove()
            self._server.close()
        for connection in tuple(self.connections):
            connection.hang_up()
        await asyncio.sleep(0)  # the transports close on the loop's next turn


class _Connection(asyncio.Protocol):
    def __init__(self, server: VerpSocket) -> None:
        self._server, self._limits = server, server.limits
        self._socketmap = socketmap.Connection(server.lookups)
        self._deadline = Deadline(asyncio.get_running_loop(), self._give_up)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if len(self._server.connections) >= self._server.room:
            log.warning("too many connections", limit=self._server.room)
            self._transport.write(socketmap.netstring(replies.TOO_MANY_CONNECTIONS))
            self._transport.close()
            return
        self._server.connections.add(self)
        self._deadline.within(self._limits.idle)

    def data_received(self, data: bytes) -> None:
        self._deadline.within(self._limits.idle)
        if answer := self._socketmap.receive(data):
            self._transport.write(answer)
        if self._socketmap.closed:
            self.hang_up()

    def pause_writing(self) -> None:
        self._transport.pause_reading()
        self._deadline.within(self._limits.write)

    def resume_writing(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._deadline.within(self._limits.idle)

    def connection_lost(self, _: Exception | None) -> None:
        self._deadline.stop()
        self._server.connections.discard(self)

    def hang_up(self) -> None:
        """Once the replies are read."""
        self._transport.close()
        self._deadline.within(self._limits.write)

    def _give_up(self) -> None:
        """Idle, or a peer that does not read: its replies are lost, and it may ask again."""
        self._transport.abort()

"""Sockets that the service manager opened for us (systemd's socket activation), and the doors they are for.

Knows the doors' names and what kind of socket each can use. Does not know where such sockets come from
(host.py), nor what is spoken on them. Who opened a socket keeps it, with its file: nobody here removes it.
"""

import socket
from collections.abc import Iterable
from enum import StrEnum

from sidecar.telemetry import Tellable

__all__ = ["Kind", "PassedSockets", "WrongSocket"]


class WrongSocket(Tellable):
    """A socket was passed that cannot be used; the message says what to change in its unit."""


class Kind(StrEnum):
    UNIX = "Unix"
    TCP = "TCP"


#: FileDescriptorName= -> what ListenStream= may be
DOORS: dict[str, tuple[Kind, ...]] = {
    "verp": (Kind.UNIX,),
    "lmtp": (Kind.UNIX, Kind.TCP),
    "policy": (Kind.UNIX,),
    "socketmap": (Kind.UNIX,),
    "http": (Kind.TCP,),
}
_FAMILIES = {socket.AF_UNIX: Kind.UNIX, socket.AF_INET: Kind.TCP, socket.AF_INET6: Kind.TCP}


class PassedSockets:
    """Each is taken once, by its door. Raises WrongSocket, and closes nothing."""

    def __init__(self, named: Iterable[tuple[str, socket.socket]] = ()) -> None:
        self._waiting: dict[tuple[str, Kind], socket.socket] = {}
        for name, listener in named:
            place = name, _kind(name, listener)
            if place in self._waiting:
                raise WrongSocket(f"two {place[1]} sockets named {name!r} were passed; one can be used")
            listener.setblocking(False)
            self._waiting[place] = listener

    def take(self, name: str, kind: Kind = Kind.UNIX) -> socket.socket | None:
        """The listening socket for this door, if one was passed."""
        return self._waiting.pop((name, kind), None)

    def check_taken(self) -> None:
        """Nobody would ever answer on a socket that is left. Raises WrongSocket."""
        for name, kind in self._waiting:
            raise WrongSocket(f"a {kind} socket named {name!r} was passed, but that door is not configured")


def _kind(name: str, listener: socket.socket) -> Kind:
    wanted = DOORS.get(name)
    if wanted is None:
        raise WrongSocket(
            f"a socket named {name!r} was passed; set FileDescriptorName= in its unit to one of: "
            f"{', '.join(DOORS)}"
        )
    kind = _FAMILIES.get(listener.family)
    if kind not in wanted or listener.type != socket.SOCK_STREAM:
        raise WrongSocket(f"the socket named {name!r} must be a {' or '.join(wanted)} stream (ListenStream=)")
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise WrongSocket(f"the socket named {name!r} is a connection; set Accept=no in its unit")
    return kind

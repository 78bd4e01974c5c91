"""Lookups in Postfix's socketmap protocol: return paths are signed for the wiki and recognised for the MTA.

    verp <wiki> <user id> <address>     ->  OK <return path>
    confirm <wiki> <user id> <address>  ->  OK <return path> of a mail that asks to confirm that address
    bounce <address>                    ->  OK <wiki> <user id>  |  NOTFOUND [reason]

Knows the lookups. Does not know keys, wikis or the time. Each mail of the wiki waits for the first lookup.
"""

import re
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from sidecar.domain.verp import Token, TooLong, UnknownWiki
from sidecar.edges import replies, socketmap
from sidecar.edges.busy_poll import BusyPoll
from sidecar.edges.query_socket import Limits, QuerySocket
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.services.receipt import Receipt
from sidecar.telemetry import Door, Metrics, report

__all__ = ["Limits", "Lookups", "ReturnPaths", "VerpSocket"]

_USER_ID = re.compile(r"[1-9][0-9]*")

log = structlog.get_logger()


class ReturnPaths(Protocol):
    """What this door may ask. Pure computation: neither blocks nor waits."""

    def issue(self, wiki: str, user_id: int, address: str, *, confirming: bool = False) -> str:
        """The return path for one mail to *address*. Raises UnknownWiki or TooLong."""
        ...

    def concerns(self, address: str) -> bool:
        """Whether to verify it: not another domain's address, nor postmaster's."""
        ...

    def verify(self, address: str) -> Token | Receipt:
        """Whose it is, or else what becomes of mail to it."""
        ...


LOOKUPS = ("verp", "confirm", "bounce")


class Lookups:
    """One request, one reply; never raises. *names*: those that are offered."""

    def __init__(
        self,
        return_paths: ReturnPaths,
        names: Collection[str] = LOOKUPS,
        failed: Callable[[], None] = lambda: None,  #: called when something unforeseen happened
    ) -> None:
        self._return_paths, self._failed = return_paths, failed
        every = {"verp": self._verp, "confirm": self._confirm, "bounce": self._bounce}
        self._lookups = {name: every[name] for name in names}

    def __call__(self, name: str, key: str) -> str:
        lookup = self._lookups.get(name)
        if lookup is None:
            return replies.UNKNOWN_LOOKUP
        try:
            return lookup(key)
        except Exception as error:  # a door: unforeseen is temporary
            report(log, "lookup failed", error)
            self._failed()
            return TROUBLE.socketmap

    def _confirm(self, key: str) -> str:
        return self._verp(key, confirming=True)

    def _verp(self, key: str, *, confirming: bool = False) -> str:
        wiki, _, rest = key.partition(" ")
        user_id, _, address = rest.partition(" ")
        if not wiki or not user_id or not address:
            return replies.EXPECTED_CONFIRM if confirming else replies.EXPECTED_VERP
        if not _USER_ID.fullmatch(user_id):
            return replies.BAD_USER_ID
        if "@" not in address:
            return replies.BAD_ADDRESS
        try:
            path = self._return_paths.issue(wiki, int(user_id), address, confirming=confirming)
            return replies.verp(path)
        except UnknownWiki:
            return replies.UNKNOWN_WIKI
        except TooLong:
            return replies.RETURN_PATH_TOO_LONG

    def _bounce(self, key: str) -> str:
        """No key is malformed, only not ours: behind an address, Postfix asks for its "@domain", too."""
        if not key:
            return replies.EXPECTED_BOUNCE
        if key.startswith("@") or not self._return_paths.concerns(key):
            return REPLIES[Receipt.NOT_OURS].socketmap
        found = self._return_paths.verify(key)
        if isinstance(found, Token):
            return replies.verified(found.wiki, found.user_id)
        return REPLIES[found].socketmap if found.refused else replies.verified_for_nobody_known()


class VerpSocket(QuerySocket):
    """Serves lookups on one Unix socket."""

    def __init__(
        self,
        return_paths: ReturnPaths,
        lookups: Collection[str] = LOOKUPS,
        *,
        limits: Limits | None = None,
        door: Door | None = None,
        busy_poll: BusyPoll | None = None,
    ) -> None:
        door = door or Door(Metrics(), "verp")
        answer = Lookups(return_paths, lookups, door.trouble.inc)
        busy = socketmap.netstring(replies.TOO_MANY_CONNECTIONS)
        super().__init__(lambda: socketmap.Connection(answer), busy, door, limits=limits, busy_poll=busy_poll)

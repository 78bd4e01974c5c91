"""Who may see the pages: bearers of the token, sessions that it began, and whom a trusted proxy names.

Knows tokens, proxies, and how often anybody may try. Does not know pages, nor how a session is sealed.
"""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.edges.dashboard.seals import Seals
from sidecar.edges.dashboard.visit import Visitor
from sidecar.edges.http_gate import is_of

__all__ = ["Brought", "Gate", "Throttle", "WrongToken"]

LONGEST_NAME = 100  # characters of a user's name; it goes into the audit
TRIES, WITHIN = 5, timedelta(minutes=1)  # wrong tokens of one peer; then it is told to wait, and not logged
PEERS = 1000  # that are remembered for having been wrong


class WrongToken(Exception):
    """Who brings a token must bring the right one."""


@dataclass(frozen=True)
class Brought:
    """What a request says of who makes it."""

    peer: str
    authorization: str | None
    cookie: str
    users: Sequence[str]  #: values of the user header, wherever it came from


class Throttle:
    """Counts wrong tokens by peer.

    The right one comes in whatever came before it: all who come by one web server are one peer, and a
    stranger among them could keep everybody out. What keeps strangers out is 128 bits that nobody guesses.
    """

    def __init__(self) -> None:
        self._wrong: dict[str, list[datetime]] = {}

    def tired(self, peer: str, now: datetime) -> bool:
        """Whether this peer has been wrong too often lately."""
        return sum(at > now - WITHIN for at in self._wrong.get(peer, ())) >= TRIES

    def wrong(self, peer: str, now: datetime) -> None:
        lately = [at for at in self._wrong.pop(peer, ()) if at > now - WITHIN]
        self._wrong[peer] = [*lately, now][-TRIES:]
        while len(self._wrong) > PEERS:
            del self._wrong[next(iter(self._wrong))]


class Gate:
    """*token* is "" if there is none: then nobody has the right one."""

    def __init__(self, token: str, seals: Seals, proxies: Sequence[str]) -> None:
        self._token, self.seals = token.encode(), seals
        self._proxies = [ipaddress.ip_network(network) for network in proxies]
        self.throttle = Throttle()

    @property
    def takes_tokens(self) -> bool:
        return bool(self._token)

    def is_right(self, token: str) -> bool:
        right = hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token)
        return right and bool(self._token)

    def visitor(self, brought: Brought, now: datetime) -> Visitor | None:
        """None: nobody who may come in. Raises WrongToken."""
        if is_of(brought.peer, self._proxies) and (name := _name(brought.users)):
            return Visitor(name, f"proxy {name}")
        scheme, _, token = (brought.authorization or "").partition(" ")
        if scheme.lower() == "bearer":  # what a web server in front has asked for is its own concern
            return self._bearer(brought.peer, token, now)
        if brought.cookie and self.takes_tokens and self.seals.is_session(brought.cookie, now):
            return Visitor("", f"session {brought.cookie}")
        return None

    def _bearer(self, peer: str, token: str, now: datetime) -> Visitor:
        if not self.is_right(token.strip()):
            self.throttle.wrong(peer, now)
            raise WrongToken
        return Visitor("")


def _name(values: Sequence[str]) -> str:
    """The one name that a proxy has said; "" if it said none, or several."""
    name = values[0].strip() if len(values) == 1 else ""
    return name if name.isprintable() and len(name) <= LONGEST_NAME else ""

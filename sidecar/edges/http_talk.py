"""What the endpoints of the HTTP door get and give.

Knows requests and answers as values. Does not know sockets, aiohttp, or what an endpoint does with them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sidecar.edges import replies
from sidecar.edges.replies import REPLIES, TROUBLE, HttpReply
from sidecar.services.receipt import Receipt

__all__ = ["Answer", "Asked", "Gate", "Route", "answer_to", "say"]


@dataclass(frozen=True)
class Asked:
    """One request, its header understood and its body read."""

    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  #: names in lower case
    body: bytes = b""

    def one(self, name: str) -> str | None:
        """The parameter *name*, where there is exactly one."""
        values = self.query.get(name, ())
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True)
class Answer:
    """A status, and an object that is sent as JSON."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def dressed(self, **more: object) -> "Answer":
        """The same with *more* in front."""
        return replace(self, body={**more, **self.body})


@dataclass(frozen=True)
class Gate:
    """Who may come in. Whoever brings a token must bring the right one, wherever it is looked at."""

    peers: bool = True  #: [http] allow counts
    token: bool = False  #: nobody comes in without one
    proxied: bool = True  #: also what came through a proxy, whose address then says nothing of who asks


@dataclass(frozen=True)
class Route:
    """One endpoint."""

    handle: Callable[[Asked], Awaitable[Answer]]
    methods: tuple[str, ...] = ("POST",)
    gate: Gate | None = Gate()  #: None: everybody, nothing looked at
    limit: int = 0  #: octets of a body
    early: Callable[[Asked], Answer | None] = lambda asked: None  #: a refusal that needs no body
    dress: Callable[[Answer], Answer] = lambda answer: answer  #: put on every answer of this endpoint


def say(reply: HttpReply, **more: object) -> Answer:
    """*reply* as an answer."""
    headers = {}
    if reply.status == 503:
        headers["Retry-After"] = str(replies.RETRY_AFTER)
    if reply.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="bounce-sidecar"'  # RFC 6750 section 3
    return Answer(reply.status, {**more, "words": reply.words}, headers)


def answer_to(receipt: Receipt | None) -> Answer:
    """What is said for a receipt; None is trouble."""
    return say(REPLIES[receipt].http, receipt=str(receipt)) if receipt else say(TROUBLE.http)

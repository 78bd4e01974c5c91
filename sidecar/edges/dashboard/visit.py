"""What the pages of the dashboard get and give.

Knows requests and answers as values. Does not know sockets, aiohttp, templates, or what a page shows.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["LOOK", "Page", "Shown", "Visit", "Visitor"]

LOOK = ("GET", "HEAD")


@dataclass(frozen=True)
class Visitor:
    """Who asks, as far as is known."""

    name: str  #: as the proxy said; "" if a token let them in
    bond: str = field(default="", repr=False)  #: what a form is bound to; "": may look, and do nothing

    def __str__(self) -> str:
        """For the audit."""
        return f"{self.name} (dashboard)" if self.name else "dashboard token"


@dataclass(frozen=True)
class Visit:
    """One request of somebody who may come in, or to a page that is open to everybody."""

    path: str  #: below the public URL's
    now: datetime
    visitor: Visitor | None = None
    peer: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)  #: of a POST that came from our own pages
    cookie: str = field(default="", repr=False)  #: the session's


@dataclass(frozen=True)
class Shown:
    """An answer."""

    status: int
    body: bytes
    kind: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)  #: over those that every answer has


@dataclass(frozen=True)
class Page:
    """One address of the dashboard."""

    handle: Callable[[Visit], Awaitable[Shown]]
    methods: tuple[str, ...] = LOOK
    name: str = ""  #: as the navigation calls it; "": it is not listed there
    open: bool = False  #: everybody may come
    acts: bool = False  #: a POST to it does something: it must be allowed, and its form must be ours

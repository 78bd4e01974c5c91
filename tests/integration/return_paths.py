"""Return paths for the doors' tests, scripted by the address: good, refused, or trouble.

Knows the port that the doors ask, and how a door that asks it is opened. Does not know which one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sidecar.domain.verp import Token, TooLong, UnknownWiki
from sidecar.edges.query_socket import Limits, QuerySocket
from sidecar.services.receipt import Receipt

__all__ = ["DOMAIN", "ScriptedReturnPaths", "serving"]

DOMAIN = "b.example"
Door = TypeVar("Door", bound=QuerySocket)
TROUBLES: dict[str, Exception] = {
    "unknown": UnknownWiki("unknown wiki"),
    "long": TooLong("too long"),
    "broken": ValueError("broken@secret.example"),
}
RECEIPTS = {"forged": Receipt.FORGED, "old": Receipt.TOO_LATE, "unknown": Receipt.SET_ASIDE}


class ScriptedReturnPaths:
    """Knows one wiki, and fails by name."""

    def __init__(self) -> None:
        self.verified: list[str] = []

    def issue(self, wiki: str, user_id: int, address: str, *, confirming: bool = False) -> str:
        if wiki in TROUBLES:
            raise TROUBLES[wiki]
        return f"wiki-{wiki}-{user_id}-{len(address)}@{DOMAIN}{'-confirming' if confirming else ''}"

    def concerns(self, address: str) -> bool:
        return address.endswith(f"@{DOMAIN}") and not address.startswith("postmaster@")

    def verify(self, address: str) -> Token | Receipt:
        self.verified.append(address)
        local = address.partition("@")[0]
        if local == "broken":
            raise TROUBLES[local]
        if local.startswith("wiki-"):
            return Token("testwiki", 12345, datetime(2026, 3, 1, tzinfo=UTC), "", "k")
        return RECEIPTS.get(local, Receipt.NOT_OURS)


@asynccontextmanager
async def serving(door: Callable[..., Door], path: Path) -> AsyncIterator[Callable[..., Awaitable[Door]]]:
    """Opens doors of this kind at *path*, with limits if any are given; in the end all are closed."""
    opened: list[Door] = []

    async def start(limits: Limits | None = None) -> Door:
        opened.append(door(ScriptedReturnPaths(), limits=limits))
        await opened[-1].listen(path)
        return opened[-1]

    yield start
    for one in opened:
        await one.close()

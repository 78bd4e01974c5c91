"""Return paths for the doors' tests, scripted by the address: good, refused, or trouble.

Knows the port that the doors ask. Does not know any door.
"""

from datetime import UTC, datetime

from sidecar.domain.verp import Token, TooLong, UnknownWiki
from sidecar.services.receipt import Receipt

__all__ = ["DOMAIN", "ScriptedReturnPaths"]

DOMAIN = "b.example"
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

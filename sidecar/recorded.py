"""Recorded bounces: mails that real mail servers made, with what is known of them.

Knows where they lie and how to address one anew. Does not judge them: tests and the demo compare.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

__all__ = ["Recorded", "fixtures", "names", "recorded"]


@dataclass(frozen=True)
class Recorded:
    """One mail of fixtures/bounces and what its .toml says."""

    name: str  #: as "postfix/01-no-such-user"
    raw: bytes
    recipient: str  #: who had been written to
    return_path: str  #: envelope recipient of this mail
    kind: str
    category: str  #: "" where the mail is no bounce
    hard: bool

    def addressed(self, recipient: str, return_path: str) -> bytes:
        """The same mail, as if it spoke of *recipient* and came back to *return_path*."""
        raw = self.raw.replace(self.return_path.encode(), return_path.encode())
        return raw.replace(self.recipient.encode(), recipient.encode())


def fixtures() -> Path:
    """The folder fixtures/: in an installed package, else beside the sources."""
    installed = Path(str(resources.files("sidecar"))) / "fixtures"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "fixtures"


@cache
def recorded(name: str) -> Recorded:
    """A recorded mail by its name. Raises FileNotFoundError."""
    path = fixtures() / "bounces" / name
    facts = tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
    raw = path.with_suffix(".eml").read_bytes()
    known = {key: facts[key] for key in ("recipient", "return_path", "kind", "hard")}
    return Recorded(name, raw, category=facts.get("category", ""), **known)


def names() -> Iterator[str]:
    """The names of all recorded mails."""
    folder = fixtures() / "bounces"
    for path in sorted(folder.glob("*/*.eml")):
        yield f"{path.parent.name}/{path.stem}"

"""What is kept of a mail that came back: the notice, and the bounce that it makes.

Knows fingerprints and compression, and no database: who reads mail in another process needs none.
"""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

__all__ = ["Bounce", "Notice"]


@dataclass(frozen=True)
class Notice:
    """A mail that came to a return path, as it is kept."""

    return_path: str
    raw: bytes
    received: datetime
    kind: str = ""
    aside: str = ""  #: why it was set aside, "" if it was not
    domain: str = ""  #: of what was set aside: where it failed, else whence it came
    null_sender: bool = True  #: whether its envelope sender was the null sender of a delivery report
    wiki: str = ""  #: "" if it is not configured
    user_id: int = 0

    @cached_property
    def fingerprint(self) -> str:
        """The same for every delivery of the same mail to the same return path."""
        whole = hashlib.sha256(self.return_path.lower().encode(errors="surrogateescape") + b"\0" + self.raw)
        return whole.hexdigest()

    @cached_property
    def packed(self) -> bytes:
        """The raw mail, compressed (zlib)."""
        return zlib.compress(self.raw, 1)

    def pack(self) -> "Notice":
        """Hash and compress now, so that no transaction is held up by it: 10 MiB take some 0.2 s."""
        _ = self.fingerprint, self.packed
        return self

    def __getstate__(self) -> dict[str, object]:
        """Packed, it goes to another process without the raw mail, which nobody needs any more."""
        state = dict(vars(self))
        if "packed" in state:
            del state["raw"]
        return state


@dataclass(frozen=True)
class Bounce:
    """One failure of one mail."""

    wiki: str
    user_id: int
    sent: datetime
    tag: str
    key_id: str
    received: datetime
    category: str
    hard: bool
    status: str
    rule: str
    domain: str
    words: str = ""  #: what the rule matched; never a mail address
    provider: str = ""  #: who runs the mail of that domain
    confirming: bool = False  #: the mail asked for a confirmation: such a failure never counts

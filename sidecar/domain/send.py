"""A mail that was signed, as far as it is remembered. Does not know who remembers it, nor where."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Send"]


@dataclass(frozen=True)
class Send:
    """One mail, as its return path says."""

    wiki: str
    user_id: int
    sent: datetime
    tag: str
    key_id: str

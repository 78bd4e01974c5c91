"""Name the return path for a mail, and say whose an address is.

No database, no lock, no thread: if this is slow, the wiki is slow.
"""

from collections.abc import Callable
from datetime import datetime

from sidecar.domain.verp import Token, Verp, VerpError
from sidecar.telemetry import Metrics

__all__ = ["ReturnPaths"]


class ReturnPaths:
    """Return paths as of now."""

    def __init__(self, verp: Verp, clock: Callable[[], datetime], metrics: Metrics | None = None) -> None:
        self._verp, self._clock = verp, clock
        counts = (metrics or Metrics()).return_paths
        self._issued, self._refused = counts.labels("issued"), counts.labels("refused")

    def issue(self, wiki: str, user_id: int, address: str) -> str:
        """The return path for one mail. Raises verp.UnknownWiki or verp.TooLong."""
        try:
            return_path = self._verp.issue(wiki, user_id, address, self._clock())
        except VerpError:
            self._refused.inc()
            raise
        self._issued.inc()
        return return_path

    def recognise(self, address: str, at: datetime | None = None) -> Token:
        """What a return path says, or said *at* a time. Raises NotOurs, Forged, Expired or UnknownWiki."""
        return self._verp.recognise(address, at or self._clock())

    def is_about(self, token: Token, address: str) -> bool | None:
        """Whether *address* is the one that the mail was written to; None if the token cannot tell."""
        return self._verp.is_about(token, address)

"""A real MediaWiki in a campaign: its PHP is killed and stopped, and its own database says what was done.

Knows what Wikis (wikis.py) knows of practice wikis. Does not know who is owed what.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from tests.chaos.node import PASSWORD
from tests.support.mediawiki import MediaWiki
from tests.support.waiting import until

__all__ = ["RealWikis"]

LOOK = 0.002  # seconds between two looks whether it is being called; a call takes some 50 ms
UNTHROTTLED = {"wgPasswordAttemptThrottle": []}  # nodes that are killed log in more than five times in 300 s


class RealWikis:
    """One wiki of this *version*; served when made, on one port for ever."""

    real = True

    def __init__(self, version: str, name: str) -> None:
        self.names = [name]
        self._wiki = MediaWiki(version, settings=UNTHROTTLED, wiki_id=name)
        self._wiki.__enter__()
        self._wiki.renew_password(PASSWORD)

    @property
    def apis(self) -> dict[str, str]:
        return {self.names[0]: self._wiki.api_url}

    def start(self) -> None:
        self._wiki.serve()

    def kill(self) -> None:
        """kill -9 of the server and its workers. Repeatable."""
        self._wiki.server.kill()

    def freeze(self) -> None:
        self._wiki.server.freeze()

    def thaw(self) -> None:
        self._wiki.server.thaw()

    def close(self) -> None:
        """For good. Repeatable."""
        self._wiki.close()

    def is_called(self, seconds: float) -> bool:
        """Whether it is in the middle of a call; waits for one."""
        with suppress(TimeoutError):
            return bool(until(lambda: self._wiki.server.calls, "a call", seconds, LOOK))
        return False

    def add(self, users: Sequence[tuple[str, str, str, datetime]]) -> list[int]:
        """Users by wiki, name, address and confirmation; the number of each."""
        return self._wiki.add_users((address.split("@")[0], address, at) for _, _, address, at in users)

    def told(self, users: Sequence[tuple[str, int]]) -> list[tuple[int, bool]]:
        """Of each how many acts the restricted log has, and whether the address is confirmed."""
        acted = self._wiki.acted()
        return [acted[user_id] for _, user_id in users]

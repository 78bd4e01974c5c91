"""A practice wiki: NOT a MediaWiki. A small server that answers our requests as a MediaWiki would.

For the demonstration and the tests: everything is in memory, on 127.0.0.1, and gone when it is closed.
Passes the contract tests that the real MediaWiki passes. What it answers is in practice_site.py.
"""

from typing import Self

from .practice_central import PracticeCentral
from .practice_http import PracticeServer
from .practice_site import ACCOUNT, PASSWORD, PATH, PracticeSite
from .practice_troubles import Trouble
from .practice_users import Mailbox

__all__ = ["Mailbox", "PracticeWiki", "Trouble"]


class PracticeWiki(PracticeSite):
    """A wiki to practise on. Serves from construction until ``close``; safe from every thread."""

    def __init__(
        self,
        account: str = ACCOUNT,
        password: str = PASSWORD,
        port: int = 0,
        *,
        wiki_id: str = "practicewiki",
        central: PracticeCentral | None = None,
    ) -> None:
        """*central* knows it by that id; without one it is a wiki without CentralAuth."""
        super().__init__(account, password, wiki_id=wiki_id, central=central)
        self._server = PracticeServer(self.answer, port)
        self.api_url = self._server.url + PATH

    def close(self) -> None:
        """No more answers; the port is free again."""
        super().close()
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

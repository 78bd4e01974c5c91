"""The farm on which central accounts are tested, whichever wikis it is made of; and practice wikis as one.

Knows what may happen to a global account from behind. Does not know any wiki.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Protocol

from tests.contract.bench import Mailbox, WikiBench
from tests.contract.practice_bench import PracticeBench
from wiki_adapter.practice_central import PracticeCentral
from wiki_adapter.practice_wiki import PracticeWiki

__all__ = ["HOME", "OTHER", "Farm", "practice_farm"]

HOME, OTHER = "homewiki", "otherwiki"


class Farm(Protocol):
    """Two wikis, HOME and OTHER, with one central account system."""

    wikis: Mapping[str, WikiBench]

    def join(self, name: str, accounts: Mapping[str, tuple[int, datetime]], *, home: str) -> None:
        """A global account: its users by wiki, who are all of that *name*, and since when each is attached.

        The address and its confirmation are those of the first.
        """

    def detach(self, name: str, wiki: str) -> None: ...

    def hide(self, name: str) -> None: ...

    def move_home(self, name: str, wiki: str) -> None: ...

    def mailbox(self, wiki: str, user_id: int) -> Mailbox:
        """As the wiki itself sees it."""


class PracticeFarm:
    """Practice wikis that live in this process."""

    def __init__(self, central: PracticeCentral, wikis: Mapping[str, PracticeWiki]) -> None:
        self.wikis: Mapping[str, WikiBench] = {
            name: PracticeBench(wiki, wiki.api_url) for name, wiki in wikis.items()
        }
        self.join, self.detach = central.join, central.detach
        self.hide, self.move_home = central.hide, central.move_home

    def mailbox(self, wiki: str, user_id: int) -> Mailbox:
        return self.wikis[wiki].mailbox(user_id)


@contextmanager
def practice_farm() -> Iterator[PracticeFarm]:
    with ExitStack() as life:
        central = PracticeCentral()
        wikis = {
            wiki_id: life.enter_context(PracticeWiki(wiki_id=wiki_id, central=central))
            for wiki_id in (HOME, OTHER)
        }
        yield PracticeFarm(central, wikis)

"""The practice wiki on the bench: the WikiBench protocol in front of PracticeWiki.

Knows both vocabularies. Does not know any wiki behaviour of its own.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.contract.bench import Mailbox, Mood
from wiki_adapter.practice_farm import PracticeFarm
from wiki_adapter.practice_site import PracticeSite
from wiki_adapter.practice_wiki import PracticeWiki, Trouble

__all__ = ["PracticeBench", "farm_bench", "practice_bench"]


class PracticeBench:
    """A WikiBench whose wiki lives in this process."""

    def __init__(self, wiki: PracticeSite, api_url: str) -> None:
        self._wiki = wiki
        self.api_url, self.account, self.password = api_url, wiki.account, wiki.password
        self.add_user = wiki.add_user
        self.confirm = wiki.confirm
        self.change_address = wiki.change_address
        self.ask_for_confirmation = wiki.ask_for_confirmation
        self.told = wiki.told
        self.log = wiki.log
        self.lose_sessions = wiki.lose_sessions
        self.revoke_password = wiki.revoke_password

    def renew_password(self, password: str) -> None:
        self._wiki.renew_password(password)
        self.password = password

    def mailbox(self, user_id: int) -> Mailbox:
        kept = self._wiki.mailbox(user_id)
        return Mailbox(kept.address, kept.confirmed_at)

    def mood(self, mood: Mood) -> AbstractContextManager[None]:
        return self._wiki.suffering(Trouble(mood.value))


@contextmanager
def practice_bench() -> Iterator[PracticeBench]:
    with PracticeWiki() as wiki:
        yield PracticeBench(wiki, wiki.api_url)


@contextmanager
def farm_bench() -> Iterator[PracticeBench]:
    """One of the wikis of a practice farm."""
    with PracticeFarm(["onewiki", "otherwiki"]) as farm:
        yield PracticeBench(farm.site("otherwiki"), farm.api_url("otherwiki"))

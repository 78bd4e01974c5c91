"""The practice wiki on the bench: the WikiBench protocol in front of PracticeWiki.

Knows both vocabularies. Does not know any wiki behaviour of its own.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sidecar.domain.access import BotPassword, Credentials, OAuth1, OAuth2
from tests.contract.bench import Mailbox, Mood
from wiki_adapter.practice_farm import PracticeFarm
from wiki_adapter.practice_site import PracticeSite
from wiki_adapter.practice_wiki import PracticeWiki, Trouble

__all__ = ["PracticeBench", "farm_bench", "practice_bench"]


class PracticeBench:
    """A WikiBench whose wiki lives in this process; its credentials are of this *kind*."""

    def __init__(self, wiki: PracticeSite, api_url: str, kind: type[Credentials] = BotPassword) -> None:
        self._wiki, self._kind = wiki, kind
        self.api_url, self.account, self.password = api_url, wiki.account, wiki.password
        self.add_user = wiki.add_user
        self.confirm = wiki.confirm
        self.change_address = wiki.change_address
        self.ask_for_confirmation = wiki.ask_for_confirmation
        self.told = wiki.told
        self.log = wiki.log
        self.lose_sessions = wiki.lose_sessions

    @property
    def credentials(self) -> Credentials:
        kinds: dict[type[Credentials], Credentials] = {
            BotPassword: BotPassword(self.account, self.password),
            OAuth1: self._wiki.oauth.consumer,
            OAuth2: self._wiki.oauth.token,
        }
        return kinds[self._kind]

    def revoke(self) -> None:
        if self._kind is BotPassword:
            self._wiki.revoke_password()
        self._wiki.oauth.revoked = True

    def renew(self) -> None:
        self.renew_password(self.password)
        self._wiki.oauth.revoked = False

    def renew_password(self, password: str) -> None:
        self._wiki.renew_password(password)
        self.password = password

    def mailbox(self, user_id: int) -> Mailbox:
        kept = self._wiki.mailbox(user_id)
        return Mailbox(kept.address, kept.confirmed_at)

    def mood(self, mood: Mood) -> AbstractContextManager[None]:
        return self._wiki.suffering(Trouble(mood.value))


@contextmanager
def practice_bench(kind: type[Credentials] = BotPassword) -> Iterator[PracticeBench]:
    with PracticeWiki() as wiki:
        yield PracticeBench(wiki, wiki.api_url, kind)


@contextmanager
def farm_bench() -> Iterator[PracticeBench]:
    """One of the wikis of a practice farm."""
    with PracticeFarm(["onewiki", "otherwiki"]) as farm:
        yield PracticeBench(farm.site("otherwiki"), farm.api_url("otherwiki"))

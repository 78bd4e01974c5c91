"""What a wiki shows when it is looked at: the practice wiki and the real MediaWiki show the same.

Knows the port and the bench. Does not know who is told.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.access import BotPassword
from sidecar.domain.examination import Account, Examinable, Examination, Step
from sidecar.domain.wiki import Effect, LoginRefused, WikiMisconfigured, WikiRefused, WikiUnavailable
from tests.contract.bench import Mood, WikiBench
from tests.contract.contract import Contract
from tests.contract.practice_bench import practice_bench
from tests.contract.wiki_words import a_user, assert_no_secret, secrets_of, unconfirm
from tests.support.mediawiki import MediaWiki
from wiki_adapter import WikiAccess
from wiki_adapter.examining import shipped
from wiki_adapter.practice_wiki import PracticeWiki, Trouble
from wiki_adapter.pywikibot_wiki import PywikibotWiki

ALL = frozenset(Step)
ANSWERS, LOGS_IN = frozenset({Step.ANSWER}), frozenset({Step.ANSWER, Step.LOGIN})

#: How far one gets, why no further, and with what rights: as right, by_group, blocked.
MOODS: dict[Mood, tuple[frozenset[Step], type[Exception], str, tuple[bool, bool, bool] | None]] = {
    Mood.READ_ONLY: (ANSWERS, WikiUnavailable, "readonly", None),
    Mood.HTTP_500: (frozenset(), WikiUnavailable, "HTTP 500", None),
    Mood.NOT_JSON: (frozenset(), WikiUnavailable, "JSON", None),
    Mood.BOT_BLOCKED: (LOGS_IN, WikiMisconfigured, "unblock", (True, True, True)),
    Mood.NO_RIGHT: (LOGS_IN, WikiMisconfigured, "permissiondenied", (False, False, False)),
    Mood.NO_GRANT: (LOGS_IN, WikiMisconfigured, "permissiondenied", (False, True, False)),
    Mood.NO_EXTENSION: (LOGS_IN, WikiMisconfigured, "extension", (False, False, False)),
}


class ExaminationContract(Contract):
    """A subclass brings the ``bench`` and the ``wiki_id``."""

    wiki_id: str

    @pytest.fixture
    def wiki(self, access: WikiAccess, slept: list[float]) -> Examinable:
        adapter: Callable[..., Examinable] = type(self).adapter
        return adapter(access, sleep=slept.append)

    def test_a_wiki_that_is_well_shows_all(self, wiki: Examinable, bench: WikiBench) -> None:
        before = datetime.now(UTC) - timedelta(seconds=2)
        found = wiki.examine()
        assert (found.done, found.trouble) == (ALL, None)
        assert found.about is not None
        assert found.about.wiki == self.wiki_id
        assert found.about.software.startswith("MediaWiki 1.")
        assert before < found.about.time < datetime.now(UTC) + timedelta(seconds=2)
        assert found.about.extensions[shipped.name] == shipped.version
        assert found.about.may_act == {"bouncesidecar"}
        account = found.account
        assert account is not None
        assert account == Account(
            bench.account.partition("@")[0], account.user_id, right=True, by_group=True, blocked=False
        )

    def test_looking_changes_nothing_and_acting_goes_on_with_the_same_login(
        self, wiki: Examinable, bench: WikiBench
    ) -> None:
        user = a_user(bench)
        wiki.examine()
        assert bench.log(user) == bench.log(0) == []
        assert wiki.perform(unconfirm(user)).effect is Effect.UNCONFIRMED

    def test_without_a_login_only_what_everybody_sees(self, wiki: Examinable, bench: WikiBench) -> None:
        bench.revoke()
        found = wiki.examine(login=False)
        assert (found.done, found.trouble, found.account) == (ANSWERS, None, None)
        assert found.about is not None

    def test_a_refused_login_is_tried_once(
        self, wiki: Examinable, bench: WikiBench, slept: list[float]
    ) -> None:
        bench.revoke()
        found = wiki.examine()
        assert (found.done, type(found.trouble), slept) == (ANSWERS, LoginRefused, [])
        assert found.trouble is not None
        assert "Special:BotPasswords" in found.trouble.remedy
        assert found.trouble.remedy not in found.trouble.words
        assert found.about is not None

    @pytest.mark.parametrize("mood", MOODS)
    def test_each_trouble_shows_where_it_is(self, wiki: Examinable, bench: WikiBench, mood: Mood) -> None:
        done, kind, words, rights = MOODS[mood]
        with bench.mood(mood):
            found = wiki.examine()
        assert (found.done, type(found.trouble)) == (done, kind), found
        assert words in str(found.trouble)
        account = found.account
        assert (account and (account.right, account.by_group, account.blocked)) == rights
        assert_no_secret(repr(found) + str(found.trouble), secrets_of(bench.credentials))


class TestPracticeWiki(ExaminationContract):
    """In memory, always there."""

    wiki_id = "practicewiki"

    @pytest.fixture
    def bench(self) -> Iterator[WikiBench]:
        with practice_bench() as practice:
            yield practice


class TestPracticeWikiByPywikibot(TestPracticeWiki):
    adapter = PywikibotWiki


@pytest.mark.servers
class TestMediaWiki(ExaminationContract):
    """The real one, in each version that we promise to work with."""

    wiki_id = "testwiki"

    @pytest.fixture
    def bench(self, mediawiki: MediaWiki) -> Iterator[MediaWiki]:
        password = mediawiki.password
        yield mediawiki
        mediawiki.renew_password(password)

    def test_a_private_wiki_tells_after_the_login(self, mediawiki: MediaWiki, wiki: Examinable) -> None:
        mediawiki.configure("$wgGroupPermissions['*']['read'] = false;")
        assert_private(wiki)

    def test_a_wiki_that_confirms_no_addresses(self, mediawiki: MediaWiki, wiki: Examinable) -> None:
        mediawiki.set(wgEmailAuthentication=False)
        assert_confirms_nothing(wiki.examine())


class TestTroublesOfThePracticeWiki:
    """The same that the real one has, told without the bench."""

    @pytest.fixture
    def practice(self) -> Iterator[PracticeWiki]:
        with PracticeWiki() as practice:
            yield practice

    @pytest.fixture
    def wiki(self, practice: PracticeWiki) -> Examinable:
        credentials = BotPassword(practice.account, practice.password)
        access = WikiAccess(practice.api_url, credentials, contact="postmaster@wiki.example.org")
        found: Examinable = Contract.adapter(access, sleep=lambda _: None)
        return found

    def test_a_private_wiki_tells_after_the_login(self, practice: PracticeWiki, wiki: Examinable) -> None:
        with practice.suffering(Trouble.PRIVATE):
            assert_private(wiki)

    def test_a_wiki_that_confirms_no_addresses(self, practice: PracticeWiki, wiki: Examinable) -> None:
        with practice.suffering(Trouble.NO_CONFIRMING):
            assert_confirms_nothing(wiki.examine())

    def test_a_redirect_is_not_followed(self, practice: PracticeWiki, wiki: Examinable) -> None:
        with practice.suffering(Trouble.REDIRECT):
            found = wiki.examine()
        assert (found.done, type(found.trouble)) == (frozenset(), WikiMisconfigured)
        assert "final URL" in str(found.trouble)


def assert_private(wiki: Examinable) -> None:
    outside = wiki.examine(login=False)
    assert (outside.done, outside.about) == (ANSWERS, None)
    found = wiki.examine()
    assert (found.done, found.about is None) == (ALL, False)


def assert_confirms_nothing(found: Examination) -> None:
    assert found.done == LOGS_IN
    assert not isinstance(found.trouble, WikiRefused)
    assert "$wgEmailAuthentication = true" in str(found.trouble)

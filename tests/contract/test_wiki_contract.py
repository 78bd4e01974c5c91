"""The contract of a wiki in trouble, kept by the practice wiki and by the real MediaWiki alike.

Knows the port and the bench. Does not know which wiki it talks to: whoever wants a difference between
them writes it down here as a test first. What is done to users is in the files beside it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from sidecar.domain.access import BotPassword, Credentials, OAuth1, OAuth2
from sidecar.domain.wiki import (
    CertificateRefused,
    Effect,
    LoginRefused,
    LoginThrottled,
    Wiki,
    WikiError,
    WikiMisconfigured,
    WikiUnavailable,
)
from tests.contract.bench import Mailbox, Mood, WikiBench
from tests.contract.contract import Contract
from tests.contract.practice_bench import PracticeBench, farm_bench
from tests.contract.wiki_words import (
    ADDRESS,
    CONFIRMED,
    MOODS,
    NOT_REPEATED,
    a_user,
    assert_no_secret,
    refusal,
    secrets_of,
    unconfirm,
)
from tests.support.mediawiki import MediaWiki
from tests.support.places import free_port
from wiki_adapter import WikiAccess
from wiki_adapter.practice_wiki import PracticeWiki, Trouble
from wiki_adapter.pywikibot_wiki import PywikibotWiki


def refused_url(url: str) -> str:
    return f"http://127.0.0.1:{free_port()}/w/api.php"


def https_on_a_plain_port(url: str) -> str:
    return url.replace("http://", "https://", 1)


def another_path(url: str) -> str:
    return url.replace("/w/", "/nowhere/", 1)


class WikiContract(Contract):
    """What every wiki promises about its troubles; a subclass brings the ``bench``."""

    # Moods

    @pytest.mark.parametrize("known", [True, False], ids=["logged in", "before the login"])
    @pytest.mark.parametrize("mood", [mood for mood in Mood if mood is not Mood.SLOW])
    def test_a_mood_has_its_error_and_passes(
        self, bench: WikiBench, wiki: Wiki, slept: list[float], mood: Mood, known: bool
    ) -> None:
        user = a_user(bench)
        if known:
            assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
        with bench.mood(mood):
            refusal(wiki, unconfirm(user), MOODS[mood], *secrets_of(bench.credentials))
        assert bench.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)
        assert bench.log(user) == []
        assert wiki.perform(unconfirm(user)).effect is Effect.UNCONFIRMED
        assert len(slept) == (0 if mood in NOT_REPEATED else 2)
        assert sum(slept) <= 5.0

    @pytest.mark.parametrize("mood", [Mood.LAGGED, Mood.HTTP_503, Mood.HTTP_429])
    def test_the_wiki_says_when_to_come_back(self, bench: WikiBench, wiki: Wiki, mood: Mood) -> None:
        with bench.mood(mood):
            error = refusal(wiki, unconfirm(a_user(bench)), WikiUnavailable)
        assert isinstance(error, WikiUnavailable)
        assert error.retry_after is not None
        assert error.retry_after >= 5.0

    def test_a_slow_wiki_is_given_up(self, bench: WikiBench, access: WikiAccess) -> None:
        user = a_user(bench)
        patient, hasty = type(self).adapter(access), type(self).adapter(replace(access, read_timeout=0.5))
        begun = monotonic()
        with bench.mood(Mood.SLOW):
            refusal(hasty, unconfirm(user), WikiUnavailable, *secrets_of(bench.credentials))
            assert monotonic() - begun < 3.0
        assert patient.perform(unconfirm(user)).effect in {Effect.UNCONFIRMED, Effect.ALREADY}

    @pytest.mark.parametrize("mood", [Mood.READ_ONLY, Mood.HTTP_500, Mood.NOT_JSON])
    def test_a_short_mood_is_not_even_noticed(self, bench: WikiBench, access: WikiAccess, mood: Mood) -> None:
        user = a_user(bench)
        with ExitStack() as trouble:
            trouble.enter_context(bench.mood(mood))
            wiki = type(self).adapter(access, sleep=lambda _seconds: trouble.close())
            assert wiki.perform(unconfirm(user)).effect is Effect.UNCONFIRMED

    # Logins

    def test_a_forgotten_login_is_renewed_silently(
        self, bench: WikiBench, wiki: Wiki, slept: list[float]
    ) -> None:
        for _ in range(3):
            assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
            bench.lose_sessions()
        assert slept == []

    def test_revoked_credentials_work_again_when_they_are_renewed(self, bench: WikiBench, wiki: Wiki) -> None:
        user, secrets = a_user(bench), secrets_of(bench.credentials)
        assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
        bench.revoke()
        by_password = isinstance(bench.credentials, BotPassword)
        refusal(wiki, unconfirm(user), LoginRefused if by_password else WikiMisconfigured, *secrets)
        bench.renew()
        assert wiki.perform(unconfirm(user)).effect is Effect.UNCONFIRMED

    # Ways that lead nowhere

    @pytest.mark.parametrize(
        ("elsewhere", "kind"),
        [
            (refused_url, WikiUnavailable),
            (https_on_a_plain_port, CertificateRefused),
            (another_path, WikiMisconfigured),
        ],
    )
    def test_a_wrong_url_is_told_from_a_wiki_that_is_down(
        self,
        bench: WikiBench,
        access: WikiAccess,
        slept: list[float],
        elsewhere: Callable[[str], str],
        kind: type[WikiError],
    ) -> None:
        wiki = type(self).adapter(replace(access, api_url=elsewhere(access.api_url)), sleep=slept.append)
        refusal(wiki, unconfirm(2), kind, *secrets_of(bench.credentials))

    def test_nothing_shows_a_secret(self, bench: WikiBench, access: WikiAccess, wiki: Wiki) -> None:
        assert_no_secret(repr(access) + repr(wiki) + str(access) + str(wiki), secrets_of(bench.credentials))


class PasswordContract(Contract):
    """What is promised of bot passwords alone; a subclass brings the ``bench``."""

    def test_a_new_password_needs_a_new_access(
        self, bench: WikiBench, wiki: Wiki, access: WikiAccess
    ) -> None:
        user, old, new = a_user(bench), bench.password, "n" * 32
        assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
        bench.renew_password(new)
        refusal(wiki, unconfirm(user), LoginRefused, old, new)
        assert (
            type(self)
            .adapter(replace(access, credentials=BotPassword(bench.account, new)))
            .perform(unconfirm(user))
            .effect
            is Effect.UNCONFIRMED
        )

    def test_a_wrong_password_is_tried_once_a_call_until_the_wiki_throttles(self, access: WikiAccess) -> None:
        somebody = BotPassword(f"Nobody{uuid4().hex}@sidecar", "v" * 32)
        wiki = type(self).adapter(replace(access, credentials=somebody))
        for _ in range(5):
            refusal(wiki, unconfirm(1), LoginRefused, "v" * 32)
        error = refusal(wiki, unconfirm(1), LoginThrottled, "v" * 32)
        assert isinstance(error, WikiUnavailable)
        assert error.retry_after == 300.0


class OAuthContract(Contract):
    """What is promised of OAuth alone; a subclass brings the ``practice`` wiki."""

    def test_another_secret_is_refused_and_named(self, bench: WikiBench, access: WikiAccess) -> None:
        for name, value in vars(access.credentials).items():
            forged = replace(access.credentials, **{name: value[:-1] + ("0" if value[-1] != "0" else "1")})
            wiki = type(self).adapter(replace(access, credentials=forged))
            error = refusal(wiki, unconfirm(a_user(bench)), WikiMisconfigured, *secrets_of(forged))
            assert "Special:OAuthConsumerRegistration" in str(error)

    def test_a_wiki_that_does_not_heed_it_is_told_from_a_missing_right(
        self, practice: PracticeWiki, wiki: Wiki, bench: WikiBench
    ) -> None:
        with practice.suffering(Trouble.NO_OAUTH):
            error = refusal(wiki, unconfirm(a_user(bench)), WikiMisconfigured)
        assert "Authorization header" in str(error)

    def test_a_netrc_of_this_host_does_not_take_its_place(
        self, bench: WikiBench, wiki: Wiki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED

    def test_it_leaves_no_session_behind(self, practice: PracticeWiki, wiki: Wiki, bench: WikiBench) -> None:
        assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
        practice.oauth.revoked = True  # and no cookie stands for it
        refusal(wiki, unconfirm(a_user(bench)), WikiMisconfigured)


class TestPracticeFarm(WikiContract, PasswordContract):
    """One of many in memory, behind one port."""

    @pytest.fixture
    def bench(self) -> Iterator[WikiBench]:
        with farm_bench() as practice:
            yield practice


class OnPractice:
    """In memory, always there."""

    kind: type[Credentials] = BotPassword

    @pytest.fixture
    def practice(self) -> Iterator[PracticeWiki]:
        with PracticeWiki() as practice:
            yield practice

    @pytest.fixture
    def bench(self, practice: PracticeWiki) -> WikiBench:
        return PracticeBench(practice, practice.api_url, self.kind)


class TestPracticeWiki(OnPractice, WikiContract, PasswordContract):
    """By mwclient, with a bot password."""


class TestPracticeWikiWithOAuth1(OnPractice, WikiContract, OAuthContract):
    """By mwclient, each request signed."""

    kind = OAuth1


class TestPracticeWikiWithOAuth2(OnPractice, WikiContract, OAuthContract):
    """By mwclient, with a bearer token."""

    kind = OAuth2


class TestPracticeWikiByPywikibot(TestPracticeWiki):
    """By pywikibot, with a bot password."""

    adapter = PywikibotWiki


@pytest.mark.servers
class TestMediaWiki(WikiContract, PasswordContract):
    """The real one, in each version that we promise to work with."""

    @pytest.fixture
    def bench(self, mediawiki: MediaWiki) -> Iterator[MediaWiki]:
        password = mediawiki.password
        yield mediawiki
        mediawiki.renew_password(password)

    def test_a_wiki_that_confirms_no_addresses_is_misconfigured(
        self, mediawiki: MediaWiki, wiki: Wiki
    ) -> None:
        mediawiki.set(wgEmailAuthentication=False)
        error = refusal(wiki, unconfirm(a_user(mediawiki)), WikiMisconfigured)
        assert "set $wgEmailAuthentication = true" in str(error)


@pytest.mark.servers
class TestMediaWikiByPywikibot(TestMediaWiki):
    """The real one, by pywikibot."""

    adapter = PywikibotWiki


def test_every_mood_is_in_the_table() -> None:
    assert set(MOODS) == set(Mood)

"""The contract of a wiki, kept by the practice wiki and by the real MediaWiki alike.

Knows the port and the bench. Does not know which wiki it talks to: whoever wants a difference between
them writes it down here as a test first.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from sidecar.domain.wiki import (
    Effect,
    Outcome,
    Wiki,
    WikiError,
    WikiMisconfigured,
    WikiRefused,
    WikiUnavailable,
)
from tests.contract.bench import Mailbox, Mood, WikiBench
from tests.contract.practice_bench import practice_bench
from tests.contract.wiki_words import (
    ADDRESS,
    CONFIRMED,
    LATER,
    MOODS,
    NOT_REPEATED,
    REASON,
    SENT,
    a_user,
    assert_no_secret,
    refusal,
    unconfirm,
)
from tests.support.mediawiki import MediaWiki
from tests.support.places import free_port
from wiki_adapter import WikiAccess
from wiki_adapter.mwclient_wiki import MwclientWiki


def refused_url(url: str) -> str:
    return f"http://127.0.0.1:{free_port()}/w/api.php"


def https_on_a_plain_port(url: str) -> str:
    return url.replace("http://", "https://", 1)


def another_path(url: str) -> str:
    return url.replace("/w/", "/nowhere/", 1)


class WikiContract:
    """What every wiki promises; a subclass brings the ``bench``."""

    @pytest.fixture
    def access(self, bench: WikiBench) -> WikiAccess:
        return WikiAccess(bench.api_url, bench.account, bench.password, contact="postmaster@wiki.example.org")

    @pytest.fixture
    def slept(self) -> list[float]:
        """The pauses that the wiki would have made."""
        return []

    @pytest.fixture
    def wiki(self, access: WikiAccess, slept: list[float]) -> Wiki:
        return MwclientWiki(access, sleep=slept.append)

    @pytest.fixture(autouse=True)
    def nothing_secret_in_the_log(self, bench: WikiBench, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
        caplog.set_level(logging.DEBUG)
        passwords = {bench.password}
        yield
        assert_no_secret(caplog.text, passwords | {bench.password})

    # What is done to a user

    def test_a_confirmed_address_is_unconfirmed_and_stays(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        outcome = wiki.perform(unconfirm(user))
        assert outcome == Outcome(Effect.UNCONFIRMED, confirmed_at=CONFIRMED, fingerprint=outcome.fingerprint)
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)
        assert bench.log(user) == [REASON]

    def test_the_fingerprint_tells_addresses_apart_and_holds_none(self, bench: WikiBench, wiki: Wiki) -> None:
        same, again = a_user(bench), a_user(bench)
        other = bench.add_user(f"U{uuid4().hex}", "somebody@else.example", CONFIRMED)
        prints = [wiki.perform(unconfirm(user)).fingerprint for user in (same, again, other)]
        assert all(prints)
        assert prints[0] != prints[2]
        assert not [one for one in prints if "@" in one or "example" in one]

    def test_an_unconfirmed_address_is_left_as_it_is(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=None)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.ALREADY)
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)
        assert bench.log(user) == []

    def test_an_action_may_be_repeated(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        effects = [wiki.perform(unconfirm(user)).effect for _ in range(3)]
        assert effects == [Effect.UNCONFIRMED, Effect.ALREADY, Effect.ALREADY]
        assert bench.log(user) == [REASON]

    def test_a_newer_confirmation_is_respected(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        bench.confirm(user, LATER)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.CHANGED, confirmed_at=LATER)
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=LATER)
        assert bench.log(user) == []

    def test_a_confirmation_in_the_very_second_of_the_mail_is_respected(
        self, bench: WikiBench, wiki: Wiki
    ) -> None:
        user = a_user(bench, confirmed_at=SENT)
        late_in_that_second = SENT + timedelta(microseconds=999_999)
        assert wiki.perform(unconfirm(user, late_in_that_second)) == Outcome(
            Effect.CHANGED, confirmed_at=SENT
        )
        assert wiki.perform(unconfirm(user, SENT + timedelta(seconds=1))).effect is Effect.UNCONFIRMED

    def test_times_of_other_zones_mean_the_same_moment(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=SENT)
        in_tokyo = SENT.astimezone(ZoneInfo("Asia/Tokyo"))
        assert wiki.perform(unconfirm(user, in_tokyo)) == Outcome(Effect.CHANGED, confirmed_at=SENT)

    def test_a_changed_address_that_nobody_confirmed_is_left_alone(
        self, bench: WikiBench, wiki: Wiki
    ) -> None:
        user = a_user(bench)
        bench.change_address(user, "new.place@mail.example.org")
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.ALREADY)
        assert bench.mailbox(user) == Mailbox("new.place@mail.example.org", confirmed_at=None)

    def test_a_changed_and_confirmed_address_is_respected(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        bench.change_address(user, "new.place@mail.example.org")
        bench.confirm(user, LATER)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.CHANGED, confirmed_at=LATER)
        assert bench.mailbox(user) == Mailbox("new.place@mail.example.org", confirmed_at=LATER)

    def test_a_user_that_does_not_exist_is_refused(self, wiki: Wiki) -> None:
        refusal(wiki, unconfirm(999_999_999), WikiRefused)

    def test_two_clients_that_race_undo_each_confirmation_once(
        self, bench: WikiBench, access: WikiAccess
    ) -> None:
        users = [a_user(bench) for _ in range(20)]

        def run(_client: int) -> list[Effect]:
            wiki = MwclientWiki(access)
            return [wiki.perform(unconfirm(user)).effect for user in users]

        with ThreadPoolExecutor(2) as clients:
            first, second = clients.map(run, range(2))
        both = [sorted(pair) for pair in zip(first, second, strict=True)]
        assert both == [[Effect.ALREADY, Effect.UNCONFIRMED]] * len(users)
        assert [bench.log(user) for user in users] == [[REASON]] * len(users)

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
            refusal(wiki, unconfirm(user), MOODS[mood], bench.password)
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
        patient, hasty = MwclientWiki(access), MwclientWiki(replace(access, read_timeout=0.5))
        begun = monotonic()
        with bench.mood(Mood.SLOW):
            refusal(hasty, unconfirm(user), WikiUnavailable, bench.password)
            assert monotonic() - begun < 3.0
        assert patient.perform(unconfirm(user)).effect in {Effect.UNCONFIRMED, Effect.ALREADY}

    @pytest.mark.parametrize("mood", [Mood.READ_ONLY, Mood.HTTP_500, Mood.NOT_JSON])
    def test_a_short_mood_is_not_even_noticed(self, bench: WikiBench, access: WikiAccess, mood: Mood) -> None:
        user = a_user(bench)
        with ExitStack() as trouble:
            trouble.enter_context(bench.mood(mood))
            wiki = MwclientWiki(access, sleep=lambda _seconds: trouble.close())
            assert wiki.perform(unconfirm(user)).effect is Effect.UNCONFIRMED

    # Logins

    def test_a_forgotten_login_is_renewed_silently(
        self, bench: WikiBench, wiki: Wiki, slept: list[float]
    ) -> None:
        for _ in range(3):
            assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
            bench.lose_sessions()
        assert slept == []

    def test_a_revoked_password_works_again_when_it_is_renewed(self, bench: WikiBench, wiki: Wiki) -> None:
        user, password = a_user(bench), bench.password
        assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
        bench.revoke_password()
        refusal(wiki, unconfirm(user), WikiMisconfigured, password)
        bench.renew_password(password)
        assert wiki.perform(unconfirm(user)).effect is Effect.UNCONFIRMED

    def test_a_new_password_needs_a_new_access(
        self, bench: WikiBench, wiki: Wiki, access: WikiAccess
    ) -> None:
        user, old, new = a_user(bench), bench.password, "n" * 32
        assert wiki.perform(unconfirm(a_user(bench))).effect is Effect.UNCONFIRMED
        bench.renew_password(new)
        refusal(wiki, unconfirm(user), WikiMisconfigured, old, new)
        assert (
            MwclientWiki(replace(access, password=new)).perform(unconfirm(user)).effect is Effect.UNCONFIRMED
        )

    def test_a_wrong_password_is_tried_once_a_call_until_the_wiki_throttles(self, access: WikiAccess) -> None:
        somebody = replace(access, account=f"Nobody{uuid4().hex}@sidecar", password="v" * 32)
        wiki = MwclientWiki(somebody)
        for _ in range(5):
            refusal(wiki, unconfirm(1), WikiMisconfigured, "v" * 32)
        error = refusal(wiki, unconfirm(1), WikiUnavailable, "v" * 32)
        assert isinstance(error, WikiUnavailable)
        assert error.retry_after == 300.0

    # Ways that lead nowhere

    @pytest.mark.parametrize(
        ("elsewhere", "kind"),
        [
            (refused_url, WikiUnavailable),
            (https_on_a_plain_port, WikiMisconfigured),
            (another_path, WikiMisconfigured),
        ],
    )
    def test_a_wrong_url_is_told_from_a_wiki_that_is_down(
        self, access: WikiAccess, slept: list[float], elsewhere: Callable[[str], str], kind: type[WikiError]
    ) -> None:
        wiki = MwclientWiki(replace(access, api_url=elsewhere(access.api_url)), sleep=slept.append)
        refusal(wiki, unconfirm(2), kind, access.password)

    def test_nothing_shows_the_password(self, access: WikiAccess, wiki: Wiki) -> None:
        assert_no_secret(repr(access) + repr(wiki) + str(access) + str(wiki), {access.password})


class TestPracticeWiki(WikiContract):
    """In memory, always there."""

    @pytest.fixture
    def bench(self) -> Iterator[WikiBench]:
        with practice_bench() as practice:
            yield practice


@pytest.mark.servers
class TestMediaWiki(WikiContract):
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


def test_every_mood_is_in_the_table() -> None:
    assert set(MOODS) == set(Mood)

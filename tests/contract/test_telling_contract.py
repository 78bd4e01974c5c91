"""The contract of telling users, and of leaving them alone, kept by the practice wiki and the real one alike.

Knows the port and the bench. Does not know which wiki it talks to: whoever wants a difference between
them writes it down here as a test first.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.wiki import Action, Effect, Outcome, Wiki, WikiRefused
from tests.contract.bench import Mailbox, WikiBench
from tests.contract.contract import Contract
from tests.contract.practice_bench import practice_bench
from tests.contract.wiki_words import (
    ADDRESS,
    CONFIRMED,
    COUNTED,
    LATER,
    REASON,
    SENT,
    a_user,
    mistyped,
    refusal,
    restore,
    unconfirm,
    warn,
)
from tests.support.mediawiki import MediaWiki
from wiki_adapter import WikiAccess
from wiki_adapter.pywikibot_wiki import PywikibotWiki


class TellingContract(Contract):
    """A subclass brings the ``bench``."""

    # Warn

    def test_a_warning_tells_and_changes_nothing(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        assert wiki.perform(warn(user)) == Outcome(Effect.WARNED)
        assert bench.told(user) == ["warn"]
        assert bench.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)
        assert bench.log(user) == [REASON]

    def test_nobody_is_warned_twice_of_one_streak(
        self, bench: WikiBench, wiki: Wiki, access: WikiAccess
    ) -> None:
        user = a_user(bench)
        outcomes = [one.perform(warn(user)) for one in (wiki, wiki, type(self).adapter(access))]
        assert outcomes == [Outcome(Effect.WARNED)] * 3
        assert bench.told(user) == ["warn"]
        assert bench.log(user) == [REASON]

    def test_a_new_streak_is_warned_of_anew(self, bench: WikiBench, wiki: Wiki) -> None:
        user, after_the_warning = a_user(bench), datetime.now(UTC) + timedelta(minutes=10)
        for before in (SENT, after_the_warning):
            assert wiki.perform(warn(user, before)) == Outcome(Effect.WARNED)
        assert bench.told(user) == ["warn", "warn"]

    def test_who_was_warned_can_be_unconfirmed(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        wiki.perform(warn(user))
        assert wiki.perform(unconfirm(user, announce=True)).effect is Effect.UNCONFIRMED
        assert bench.told(user) == ["warn", "unconfirm"]

    def test_who_has_no_confirmed_address_is_not_warned(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=None)
        assert wiki.perform(warn(user)) == Outcome(Effect.ALREADY)
        assert (bench.told(user), bench.log(user)) == ([], [])

    def test_who_confirmed_since_the_mail_is_not_warned(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=LATER)
        assert wiki.perform(warn(user)) == Outcome(Effect.CHANGED, confirmed_at=LATER)
        assert (bench.told(user), bench.log(user)) == ([], [])

    def test_of_two_clients_that_race_one_warns(self, bench: WikiBench, access: WikiAccess) -> None:
        users = [a_user(bench) for _ in range(10)]

        def run(_client: int) -> list[Effect]:
            wiki = type(self).adapter(access)
            return [wiki.perform(warn(user)).effect for user in users]

        with ThreadPoolExecutor(2) as clients:
            both = list(clients.map(run, range(2)))
        assert both == [[Effect.WARNED] * len(users)] * 2
        assert [bench.told(user) for user in users] == [["warn"]] * len(users)

    # Protected groups

    @pytest.mark.parametrize("act", COUNTED)
    def test_a_member_of_a_protected_group_is_left_alone(
        self, bench: WikiBench, wiki: Wiki, act: Callable[..., Action]
    ) -> None:
        user = a_user(bench, groups=["bot", "sysop"])
        outcome = wiki.perform(act(user, protect=["steward", "sysop"]))
        assert outcome == Outcome(Effect.PROTECTED, group="sysop")
        assert bench.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)
        assert (bench.told(user), bench.log(user)) == ([], [])

    def test_members_of_other_groups_and_of_none_are_not_protected(
        self, bench: WikiBench, wiki: Wiki
    ) -> None:
        for groups in (["bot"], []):
            user = a_user(bench, groups=groups)
            assert wiki.perform(unconfirm(user, protect=["sysop"])).effect is Effect.UNCONFIRMED

    def test_a_group_without_members_of_its_own_protects_nobody(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        assert wiki.perform(unconfirm(user, protect=["user", "*"])).effect is Effect.UNCONFIRMED

    @pytest.mark.parametrize("act", COUNTED)
    def test_a_newer_confirmation_is_told_of_protected_users_too(
        self, bench: WikiBench, wiki: Wiki, act: Callable[..., Action]
    ) -> None:
        user = a_user(bench, confirmed_at=LATER, groups=["sysop"])
        assert wiki.perform(act(user, protect=["sysop"])) == Outcome(Effect.CHANGED, confirmed_at=LATER)

    # Mistyped

    def test_a_confirmation_mail_that_came_back_is_told_once(
        self, bench: WikiBench, wiki: Wiki, access: WikiAccess
    ) -> None:
        user = a_user(bench, confirmed_at=None)
        bench.ask_for_confirmation(user, SENT)
        outcomes = [one.perform(mistyped(user, SENT)) for one in (wiki, wiki, type(self).adapter(access))]
        assert outcomes == [Outcome(Effect.WARNED)] * 3
        assert bench.told(user) == ["mistyped"]
        assert bench.log(user) == [REASON]
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)

    @pytest.mark.parametrize("apart", [-4, 4, 50])
    def test_the_mail_may_be_signed_by_another_clock_and_a_little_later(
        self, bench: WikiBench, wiki: Wiki, apart: int
    ) -> None:
        user = a_user(bench, confirmed_at=None)
        bench.ask_for_confirmation(user, SENT)
        assert wiki.perform(mistyped(user, SENT + timedelta(seconds=apart))).effect is Effect.WARNED

    def test_each_mail_that_came_back_is_told(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=None)
        for sent in (SENT, LATER):
            bench.ask_for_confirmation(user, sent)
            assert wiki.perform(mistyped(user, sent)) == Outcome(Effect.WARNED)
        assert bench.told(user) == ["mistyped", "mistyped"]

    def test_the_bounce_of_an_earlier_mail_says_nothing_of_the_corrected_address(
        self, bench: WikiBench, wiki: Wiki
    ) -> None:
        user = a_user(bench, confirmed_at=None)
        bench.ask_for_confirmation(user, SENT)
        bench.change_address(user, "new.place@mail.example.org")
        assert wiki.perform(mistyped(user, SENT)) == Outcome(Effect.CHANGED)
        bench.ask_for_confirmation(user, SENT + timedelta(seconds=20))
        assert wiki.perform(mistyped(user, SENT)) == Outcome(Effect.CHANGED)
        assert (bench.told(user), bench.log(user)) == ([], [])

    def test_a_mail_that_asked_for_no_confirmation_is_no_matter(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=None)
        assert wiki.perform(mistyped(user, SENT)) == Outcome(Effect.CHANGED)
        bench.ask_for_confirmation(user, SENT - timedelta(days=1))
        assert wiki.perform(mistyped(user, SENT)) == Outcome(Effect.CHANGED)
        assert (bench.told(user), bench.log(user)) == ([], [])

    def test_who_has_confirmed_meanwhile_is_told_nothing(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=None)
        bench.ask_for_confirmation(user, SENT)
        bench.confirm(user, LATER)
        assert wiki.perform(mistyped(user, SENT)) == Outcome(Effect.CHANGED, confirmed_at=LATER)
        assert (bench.told(user), bench.log(user)) == ([], [])

    def test_who_has_no_address_any_more_is_told_nothing(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=None)
        bench.change_address(user, "")
        bench.ask_for_confirmation(user, SENT)
        assert wiki.perform(mistyped(user, SENT)) == Outcome(Effect.CHANGED)

    @pytest.mark.parametrize(
        "action",
        [
            warn(999_999_999),
            unconfirm(999_999_999),
            restore(999_999_999, Outcome(Effect.UNCONFIRMED, CONFIRMED, "f00d")),
            mistyped(999_999_999, SENT),
        ],
        ids=lambda action: type(action).__name__,
    )
    def test_a_user_that_does_not_exist_is_refused(self, wiki: Wiki, action: Action) -> None:
        refusal(wiki, action, WikiRefused)


class TestPracticeWiki(TellingContract):
    """In memory, always there."""

    @pytest.fixture
    def bench(self) -> Iterator[WikiBench]:
        with practice_bench() as practice:
            yield practice


class TestPracticeWikiByPywikibot(TestPracticeWiki):
    """The same by the other adapter."""

    adapter = PywikibotWiki


@pytest.mark.servers
class TestMediaWiki(TellingContract):
    """The real one, in each version that we promise to work with."""

    @pytest.fixture
    def bench(self, mediawiki: MediaWiki) -> MediaWiki:
        return mediawiki


@pytest.mark.servers
class TestMediaWikiByPywikibot(TestMediaWiki):
    """The same by the other adapter."""

    adapter = PywikibotWiki

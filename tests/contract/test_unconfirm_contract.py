"""The contract of un-confirming and its way back, kept by the practice wiki and by the real MediaWiki alike.

Knows the port and the bench. Does not know which wiki it talks to: whoever wants a difference between
them writes it down here as a test first.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from sidecar.domain.wiki import Effect, Outcome, Wiki
from tests.contract.bench import Mailbox, WikiBench
from tests.contract.contract import Contract
from tests.contract.practice_bench import farm_bench, practice_bench
from tests.contract.wiki_words import (
    ADDRESS,
    CONFIRMED,
    LATER,
    REASON,
    SENT,
    a_user,
    restore,
    unconfirm,
)
from tests.support.mediawiki import MediaWiki
from wiki_adapter import WikiAccess
from wiki_adapter.pywikibot_wiki import PywikibotWiki


class UnconfirmContract(Contract):
    """A subclass brings the ``bench``."""

    # Un-confirm
    def test_a_confirmed_address_is_unconfirmed_and_stays(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        outcome = wiki.perform(unconfirm(user))
        assert outcome == Outcome(Effect.UNCONFIRMED, confirmed_at=CONFIRMED, fingerprint=outcome.fingerprint)
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)
        assert bench.log(user) == [REASON]

    def test_the_fingerprint_tells_addresses_apart_and_holds_none(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        first = wiki.perform(unconfirm(user)).fingerprint
        bench.change_address(user, "somebody@else.example")
        bench.confirm(user, CONFIRMED)
        second = wiki.perform(unconfirm(user)).fingerprint
        bench.change_address(user, ADDRESS)
        bench.confirm(user, CONFIRMED)
        third = wiki.perform(unconfirm(user)).fingerprint
        assert first == third != second
        assert not [one for one in (first, second) if not one or "@" in one or "example" in one]

    def test_the_fingerprint_does_not_tell_whose_addresses_are_the_same(
        self, bench: WikiBench, wiki: Wiki
    ) -> None:
        one, other = (wiki.perform(unconfirm(a_user(bench))).fingerprint for _ in range(2))
        assert one != other

    def test_an_unconfirmed_address_is_left_as_it_is(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench, confirmed_at=None)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.ALREADY)
        assert bench.mailbox(user) == Mailbox(ADDRESS, confirmed_at=None)
        assert bench.log(user) == []

    def test_an_action_may_be_repeated(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        outcomes = [wiki.perform(unconfirm(user, announce=True)) for _ in range(3)]
        assert [one.effect for one in outcomes] == [Effect.UNCONFIRMED, Effect.ALREADY, Effect.ALREADY]
        assert bench.log(user) == [REASON]
        assert bench.told(user) == ["unconfirm"]

    def test_whoever_never_heard_the_answer_learns_what_was_taken(
        self, bench: WikiBench, wiki: Wiki, access: WikiAccess
    ) -> None:
        user = a_user(bench)
        unheard = wiki.perform(unconfirm(user))
        again = type(self).adapter(access).perform(unconfirm(user))
        assert again == Outcome(Effect.ALREADY, CONFIRMED, unheard.fingerprint)
        assert wiki.perform(restore(user, again)).effect is Effect.RESTORED

    def test_what_others_took_is_not_called_ours(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        taken = wiki.perform(unconfirm(user))
        wiki.perform(restore(user, taken))
        bench.change_address(user, "new.place@mail.example.org")
        bench.change_address(user, ADDRESS)
        assert wiki.perform(unconfirm(user)) == Outcome(Effect.ALREADY)

    def test_a_user_is_told_if_that_is_wanted(self, bench: WikiBench, wiki: Wiki) -> None:
        told, untold = a_user(bench), a_user(bench)
        wiki.perform(unconfirm(told, announce=True))
        wiki.perform(unconfirm(untold))
        assert (bench.told(told), bench.told(untold)) == (["unconfirm"], [])

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

    def test_two_clients_that_race_undo_each_confirmation_once(
        self, bench: WikiBench, access: WikiAccess
    ) -> None:
        users = [a_user(bench) for _ in range(20)]

        def run(_client: int) -> list[Effect]:
            wiki = type(self).adapter(access)
            return [wiki.perform(unconfirm(user)).effect for user in users]

        with ThreadPoolExecutor(2) as clients:
            first, second = clients.map(run, range(2))
        both = [sorted(pair) for pair in zip(first, second, strict=True)]
        assert both == [[Effect.ALREADY, Effect.UNCONFIRMED]] * len(users)
        assert [bench.log(user) for user in users] == [[REASON]] * len(users)

    # Restore

    def test_a_confirmation_comes_back_as_it_was(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        taken = wiki.perform(unconfirm(user))
        assert wiki.perform(restore(user, taken)) == Outcome(Effect.RESTORED)
        assert bench.mailbox(user) == Mailbox(ADDRESS, CONFIRMED)
        assert bench.log(user) == [REASON, REASON]

    def test_to_restore_may_be_repeated(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        taken = wiki.perform(unconfirm(user))
        outcomes = [wiki.perform(restore(user, taken)) for _ in range(3)]
        already = Outcome(Effect.ALREADY, confirmed_at=CONFIRMED)
        assert outcomes == [Outcome(Effect.RESTORED), already, already]
        assert bench.log(user) == [REASON, REASON]

    def test_what_was_restored_can_be_unconfirmed_again(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        first = wiki.perform(unconfirm(user))
        wiki.perform(restore(user, first))
        assert wiki.perform(unconfirm(user)) == first
        assert wiki.perform(restore(user, first)).effect is Effect.RESTORED

    def test_a_confirmation_since_then_is_respected(self, bench: WikiBench, wiki: Wiki) -> None:
        user = a_user(bench)
        taken = wiki.perform(unconfirm(user))
        bench.confirm(user, LATER)
        assert wiki.perform(restore(user, taken)) == Outcome(Effect.CHANGED, confirmed_at=LATER)
        assert bench.mailbox(user) == Mailbox(ADDRESS, LATER)

    @pytest.mark.parametrize("address", ["new.place@mail.example.org", ""])
    def test_another_address_is_not_confirmed_by_it(self, bench: WikiBench, wiki: Wiki, address: str) -> None:
        user = a_user(bench)
        taken = wiki.perform(unconfirm(user))
        bench.change_address(user, address)
        assert wiki.perform(restore(user, taken)) == Outcome(Effect.CHANGED)
        assert bench.mailbox(user) == Mailbox(address, confirmed_at=None)

    def test_only_what_we_took_is_given_back(self, bench: WikiBench, wiki: Wiki) -> None:
        user, never = a_user(bench), a_user(bench, confirmed_at=None)
        taken = wiki.perform(unconfirm(user))
        wrong = [
            restore(never, taken),
            restore(user, replace(taken, fingerprint="0" * 32)),
            restore(user, replace(taken, fingerprint="")),
            restore(user, replace(taken, confirmed_at=CONFIRMED - timedelta(days=1))),
        ]
        assert [wiki.perform(action) for action in wrong] == [Outcome(Effect.CHANGED)] * len(wrong)
        assert bench.mailbox(user).confirmed_at is bench.mailbox(never).confirmed_at is None


class TestPracticeFarm(UnconfirmContract):
    """One of many in memory, behind one port."""

    @pytest.fixture
    def bench(self) -> Iterator[WikiBench]:
        with farm_bench() as practice:
            yield practice


class TestPracticeWiki(UnconfirmContract):
    """In memory, always there."""

    @pytest.fixture
    def bench(self) -> Iterator[WikiBench]:
        with practice_bench() as practice:
            yield practice


class TestPracticeWikiByPywikibot(TestPracticeWiki):
    """The same by the other adapter."""

    adapter = PywikibotWiki


@pytest.mark.servers
class TestMediaWiki(UnconfirmContract):
    """The real one, in each version that we promise to work with."""

    @pytest.fixture
    def bench(self, mediawiki: MediaWiki) -> MediaWiki:
        return mediawiki


@pytest.mark.servers
class TestMediaWikiByPywikibot(TestMediaWiki):
    """The same by the other adapter."""

    adapter = PywikibotWiki

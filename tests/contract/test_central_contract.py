"""The contract of central accounts: of practice wikis, of real ones with our stand-in, and of CentralAuth.

Knows the port and the farm. Does not know which farm it talks to. With BOUNCE_SIDECAR_CENTRALAUTH the real
wikis run the real CentralAuth (docs/testing.md).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from sidecar.domain.person import LOCAL, Account, Person
from sidecar.domain.wiki import Effect, Unconfirm, Wiki, WikiMisconfigured, WikiUnavailable
from tests.contract.bench import Mood, WikiBench
from tests.contract.farm import HOME, OTHER, Farm, practice_farm
from tests.contract.practice_bench import practice_bench
from tests.contract.wiki_words import ADDRESS, CONFIRMED, LATER, REASON, SENT, assert_no_secret
from tests.support.mediawiki_farm import CENTRALAUTH, RealFarm
from wiki_adapter import WikiAccess
from wiki_adapter.mwclient_wiki import MwclientWiki

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NEXT = FIRST + timedelta(days=30)


def opened(bench: WikiBench, slept: list[float] | None = None) -> Wiki:
    access = WikiAccess(bench.api_url, bench.credentials, contact="postmaster@wiki.example.org")
    return MwclientWiki(access, sleep=(slept if slept is not None else []).append)


class CentralContract:
    """A subclass brings the ``farm``."""

    @pytest.fixture
    def wikis(self, farm: Farm) -> dict[str, Wiki]:
        return {name: opened(bench) for name, bench in farm.wikis.items()}

    @pytest.fixture
    def name(self) -> str:
        return f"P{uuid4().hex}"

    @pytest.fixture
    def accounts(self, farm: Farm, name: str) -> dict[str, int]:
        """Of one name on both wikis, with different user ids; joined by nobody yet."""
        farm.wikis[OTHER].add_user(f"X{uuid4().hex}", "", None)
        return {wiki: bench.add_user(name, ADDRESS, CONFIRMED) for wiki, bench in farm.wikis.items()}

    @pytest.fixture
    def person(self, farm: Farm, name: str, accounts: dict[str, int]) -> Person:
        """The two accounts, joined; not at home first."""
        farm.join(name, {HOME: (accounts[HOME], NEXT), OTHER: (accounts[OTHER], FIRST)}, home=HOME)
        home, other = (Account(wiki, accounts[wiki]) for wiki in (HOME, OTHER))
        return Person(HOME, (other, home), {other: FIRST, home: NEXT})

    @pytest.mark.parametrize("asked", [HOME, OTHER])
    def test_every_wiki_of_a_person_tells_of_the_same_person(
        self, wikis: dict[str, Wiki], accounts: dict[str, int], person: Person, asked: str
    ) -> None:
        assert wikis[asked].identify(accounts[asked]) == person

    @pytest.mark.parametrize("asked", [HOME, OTHER])
    def test_equal_names_alone_make_nobody_one_person(
        self, wikis: dict[str, Wiki], accounts: dict[str, int], asked: str
    ) -> None:
        assert wikis[asked].identify(accounts[asked]) == LOCAL

    def test_a_local_account_is_not_its_global_namesake(
        self, farm: Farm, wikis: dict[str, Wiki], name: str, accounts: dict[str, int]
    ) -> None:
        farm.join(name, {HOME: (accounts[HOME], FIRST)}, home=HOME)
        assert wikis[OTHER].identify(accounts[OTHER]) == LOCAL
        mine = Account(HOME, accounts[HOME])
        assert wikis[HOME].identify(accounts[HOME]) == Person(HOME, (mine,), {mine: FIRST})

    @pytest.mark.usefixtures("person")
    def test_whoever_is_hidden_is_told_of_as_local(
        self, farm: Farm, wikis: dict[str, Wiki], name: str, accounts: dict[str, int]
    ) -> None:
        farm.hide(name)
        assert wikis[HOME].identify(accounts[HOME]) == LOCAL

    @pytest.mark.usefixtures("person")
    def test_a_detached_account_is_local_and_the_person_goes_on_without_it(
        self, farm: Farm, wikis: dict[str, Wiki], name: str, accounts: dict[str, int]
    ) -> None:
        farm.detach(name, OTHER)
        assert wikis[OTHER].identify(accounts[OTHER]) == LOCAL
        assert wikis[HOME].identify(accounts[HOME]).accounts == (Account(HOME, accounts[HOME]),)

    def test_home_may_be_a_wiki_without_an_account(
        self, farm: Farm, wikis: dict[str, Wiki], name: str, accounts: dict[str, int], person: Person
    ) -> None:
        farm.move_home(name, "elsewherewiki")
        assert wikis[OTHER].identify(accounts[OTHER]) == replace(person, home="elsewherewiki")

    def test_a_user_who_does_not_exist_is_nobody(self, wikis: dict[str, Wiki]) -> None:
        assert wikis[HOME].identify(10**6) == LOCAL

    @pytest.mark.usefixtures("person")
    @pytest.mark.parametrize(("acting", "looking"), [(HOME, OTHER), (OTHER, HOME)])
    def test_an_act_on_one_account_is_an_act_on_all(
        self, farm: Farm, wikis: dict[str, Wiki], accounts: dict[str, int], acting: str, looking: str
    ) -> None:
        acts = {wiki: Unconfirm(wiki, user_id, SENT, REASON) for wiki, user_id in accounts.items()}
        taken = wikis[acting].perform(acts[acting])
        assert (taken.effect, taken.confirmed_at) == (Effect.UNCONFIRMED, CONFIRMED)
        assert farm.mailbox(looking, accounts[looking]).confirmed_at is None
        assert wikis[looking].perform(acts[looking]).effect is Effect.ALREADY
        farm.wikis[looking].confirm(accounts[looking], LATER)
        assert wikis[acting].perform(acts[acting]).effect is Effect.CHANGED

    def test_an_act_on_a_local_account_leaves_its_global_namesake_alone(
        self, farm: Farm, wikis: dict[str, Wiki], name: str, accounts: dict[str, int]
    ) -> None:
        farm.join(name, {HOME: (accounts[HOME], FIRST)}, home=HOME)
        wikis[OTHER].perform(Unconfirm(OTHER, accounts[OTHER], SENT, REASON))
        assert farm.mailbox(OTHER, accounts[OTHER]).confirmed_at is None
        assert farm.mailbox(HOME, accounts[HOME]).confirmed_at == CONFIRMED

    def test_a_wiki_in_trouble_is_asked_again_later(
        self, farm: Farm, accounts: dict[str, int], person: Person
    ) -> None:
        bench, slept = farm.wikis[HOME], list[float]()
        wiki = opened(bench, slept)
        with bench.mood(Mood.HTTP_503), pytest.raises(WikiUnavailable) as caught:
            wiki.identify(accounts[HOME])
        assert_no_secret(repr(caught.value), {bench.password})
        assert wiki.identify(accounts[HOME]) == person

    def test_a_lost_session_is_renewed(
        self, farm: Farm, wikis: dict[str, Wiki], accounts: dict[str, int], person: Person
    ) -> None:
        assert wikis[HOME].identify(accounts[HOME]) == person
        farm.wikis[HOME].lose_sessions()
        assert wikis[HOME].identify(accounts[HOME]) == person


class TestPracticeFarm(CentralContract):
    """In memory, always there."""

    @pytest.fixture
    def farm(self) -> Iterator[Farm]:
        with practice_farm() as farm:
            yield farm


@pytest.mark.servers
class TestMediaWikis(CentralContract):
    """Two real ones of each version that we promise to work with, on one code tree."""

    @pytest.fixture
    def farm(self, mediawiki_farm: RealFarm) -> Farm:
        return mediawiki_farm

    @pytest.mark.skipif(bool(CENTRALAUTH), reason="nobody makes the real one lose a race")
    @pytest.mark.usefixtures("person")
    def test_a_race_that_the_central_account_loses_is_no_success(
        self, farm: RealFarm, wikis: dict[str, Wiki], accounts: dict[str, int]
    ) -> None:
        act = Unconfirm(OTHER, accounts[OTHER], SENT, REASON)
        farm.wikis[OTHER].set(wgCentralStandInLosesRaces=True)
        with pytest.raises(WikiUnavailable):
            wikis[OTHER].perform(act)
        assert farm.wikis[OTHER].mailbox(accounts[OTHER]).confirmed_at == CONFIRMED
        farm.wikis[OTHER].set(wgCentralStandInLosesRaces=False)
        assert wikis[OTHER].perform(act).effect is Effect.UNCONFIRMED


def test_a_wiki_without_central_accounts_says_so() -> None:
    with practice_bench() as bench:
        user = bench.add_user("Ann", ADDRESS, CONFIRMED)
        with pytest.raises(WikiMisconfigured, match="central = false"):
            opened(bench).identify(user)

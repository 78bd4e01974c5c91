"""One person, several accounts: who leads, and whose mail counts together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.person import LOCAL, Account, Person, gather

EN, DE, FR = Account("enwiki", 5), Account("dewiki", 7), Account("frwiki", 9)
WIKIS = ("dewiki", "enwiki", "frwiki")
ANN = Person("enwiki", (DE, EN, FR))  # attached in this order


@pytest.mark.parametrize("asked", ANN.accounts, ids=str)
def test_home_leads_whoever_is_asked(asked: Account) -> None:
    together = gather(asked, ANN, WIKIS)
    assert (together.lead, together.accounts) == (EN, {EN, DE, FR})


def test_where_home_is_not_configured_the_first_attached_leads() -> None:
    together = gather(FR, Person("metawiki", ANN.accounts), WIKIS)
    assert (together.lead, together.accounts) == (DE, {EN, DE, FR})


def test_wikis_that_are_not_configured_do_not_count() -> None:
    together = gather(FR, ANN, ["frwiki", "dewiki"])
    assert (together.lead, together.accounts) == (DE, {DE, FR})


@pytest.mark.parametrize(
    "person", [LOCAL, Person("enwiki", (DE, FR)), Person("enwiki", (Account("enwiki", 6), DE))]
)
def test_who_is_not_among_the_accounts_stays_alone(person: Person) -> None:
    together = gather(EN, person, WIKIS)
    assert (together.lead, together.accounts) == (EN, {EN})


def test_ids_are_spelled_as_they_are_configured() -> None:
    together = gather(EN, Person("EnWiki", (Account("EnWiki", 5), Account("DEWIKI", 7))), WIKIS)
    assert (together.lead, together.accounts) == (EN, {EN, DE})


accounts = st.builds(Account, st.sampled_from((*WIKIS, "metawiki")), st.integers(1, 3))


@given(st.lists(accounts, min_size=1, max_size=4, unique_by=lambda one: one.wiki), st.data())
def test_all_accounts_of_a_person_agree_on_who_leads(attached: list[Account], data: st.DataObject) -> None:
    person = Person(data.draw(st.sampled_from((*WIKIS, "metawiki", ""))), tuple(attached))
    ours = [one for one in attached if one.wiki in WIKIS]
    assert len({gather(one, person, WIKIS) for one in ours}) <= 1

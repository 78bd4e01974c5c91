"""One person with several accounts: what operators are told, who is watched, what is kept and forgotten."""

import pytest

from sidecar.domain.brake import Limits
from sidecar.services import privacy
from sidecar.services.review import review
from sidecar.services.upkeep import Keep, Upkeep
from sidecar.storage import belongings, people
from sidecar.storage.actions import State
from sidecar.storage.undoing import undoable

from .farm import HOME, OTHER, Farm
from .house import DAY, T0


async def test_the_story_of_an_account_is_that_of_the_person(farm: Farm) -> None:
    await farm.fail(OTHER, HOME, OTHER)
    await farm.settle()
    story = await farm.database.read(lambda c: review(c, "dewiki", 8, farm.policies, farm.clock()))
    assert story
    assert (story.lead, story.accounts) == (HOME, (OTHER, HOME))
    assert [line.what.partition(":")[0] for line in story.lines[:3]] == ["dewiki", "enwiki", "dewiki"]
    assert any("enwiki: action 1: done: unconfirmed" in line.what for line in story.lines)


async def test_the_story_says_that_a_wiki_must_be_asked_first(farm: Farm) -> None:
    await farm.fail(HOME, HOME, HOME)
    story = await farm.database.read(lambda c: review(c, "enwiki", 7, farm.policies, farm.clock()))
    assert story
    assert story.outlook == (
        "action 1 (unconfirm) is waiting; nothing is done before its wiki has said whose account it is"
    )


async def test_what_was_done_at_home_is_undone_for_whichever_account_is_named(farm: Farm) -> None:
    await farm.fail(OTHER, HOME, OTHER)
    await farm.settle()
    for which in ({"wiki": "dewiki", "user_id": 8}, {"wiki": "enwiki", "user_id": 7}, {"wiki": "dewiki"}):
        [one] = await farm.database.read(lambda c, which=which: undoable(c, T0, **which))  # type: ignore[misc]
        assert (one.wiki, one.user_id) == ("enwiki", 7)
    assert await farm.database.read(lambda c: undoable(c, T0, wiki="dewiki", user_id=7)) == []


async def test_who_is_asked_for_is_told_of_with_the_other_accounts(farm: Farm) -> None:
    await farm.fail(OTHER, HOME)
    await farm.settle()
    found = await privacy.export(farm.database, farm.verp, "dewiki", 8, farm.clock(), mail=False)
    assert found
    assert (len(found.held["bounce"]), found.others) == (1, [HOME])
    [row] = found.held["identity"]
    assert (row["lead_wiki"], row["lead_user_id"]) == ("enwiki", 7)


async def test_an_account_is_forgotten_alone_and_no_other_row_names_it(farm: Farm) -> None:
    await farm.fail(OTHER, HOME)
    await farm.settle()
    await farm.database.write(
        lambda c: belongings.erase(c, belongings.User("enwiki", 7, ["wiki-none-"]), farm.clock())
    )
    assert await farm.database.read(lambda c: people.accounts_of(c, OTHER)) == [OTHER]
    held = await farm.database.read(
        lambda c: belongings.count(c, belongings.User("dewiki", 8, ["wiki-none-"]))
    )
    assert (held["bounce"], held["identity"]) == (1, 1)


@pytest.mark.slow
async def test_rows_of_one_account_outlive_their_age_while_something_is_owed_for_another(farm: Farm) -> None:
    farm.limits = Limits(delay=400 * DAY)
    farm.compose()
    keeper = Upkeep(farm.database, Keep(14 * DAY, 60 * DAY, 90 * DAY, 365 * DAY), farm.clock)
    await farm.fail(OTHER, HOME, OTHER)
    await farm.settle()
    assert [one.state for one in await farm.actions()] == [State.WAITING]
    farm.clock.tick(days=300)
    await keeper.round()
    count = belongings.count
    held = await farm.database.read(lambda c: count(c, belongings.User("dewiki", 8, ["wiki-none-"])))
    assert (held["bounce"], held["identity"]) == (2, 1)
    farm.clock.tick(days=100)
    await farm.settle()  # the streak is long over
    farm.clock.tick(days=366)
    await keeper.round()
    for _ in range(3):
        await keeper.round()
    for one in (HOME, OTHER):
        user = belongings.User(one.wiki, one.user_id, ["wiki-none-"])
        held = await farm.database.read(lambda c, user=user: count(c, user))  # type: ignore[misc]
        assert set(held.values()) == {0}


async def test_both_accounts_are_watched_from_the_start_and_by_every_node(farm: Farm) -> None:
    await farm.fail(OTHER)
    await farm.settle()
    other_node = farm.watching(farm.database)
    await other_node.load()
    assert other_node.watched.users == {"dewiki": {8}, "enwiki": {7}}
    await farm.watch.look()
    assert farm.watch.watched.users == {"dewiki": {8}, "enwiki": {7}}


async def test_the_other_account_is_watched_as_soon_as_it_is_known_whose_it_is(farm: Farm) -> None:
    await farm.fail(OTHER)
    await farm.watch.look()
    assert farm.watch.watched.users == {"dewiki": {8}}
    await farm.settle()
    await farm.watch.look()
    assert farm.watch.watched.users == {"dewiki": {8}, "enwiki": {7}}

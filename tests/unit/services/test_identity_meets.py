"""Answers about persons that meet calls under way, and nodes that know other wikis."""

import pytest

from sidecar.domain.person import LOCAL, Person
from sidecar.domain.wiki import WikiUnavailable
from sidecar.storage import claims
from sidecar.storage.actions import State
from sidecar.storage.outbox import Owed

from .farm import ANN, HOME, OTHER, Farm


async def in_hand_while_joined(farm: Farm) -> Owed:
    """OTHER's un-confirmation is being called for when it becomes known that HOME leads."""
    farm.join(Person("dewiki", (OTHER,)))
    await farm.fail(OTHER, OTHER, OTHER)
    while await farm.identities.step():
        pass
    now = farm.clock()
    owed = await farm.database.write(lambda c: claims.claim(c, now, now + claims.LEASE, ()))
    assert owed
    farm.join(ANN)
    await farm.bounce()
    while await farm.identities.step():
        pass
    assert [(one.wiki, one.state) for one in await farm.actions()] == [("dewiki", State.WAITING)]
    return owed


async def test_an_act_whose_node_died_while_another_account_came_to_lead_is_done_there(farm: Farm) -> None:
    await in_hand_while_joined(farm)
    farm.clock.tick(seconds=31)
    await farm.settle()  # it is overtaken, and asked about again
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]
    assert [(one.wiki, one.state) for one in await farm.actions()] == [
        ("dewiki", State.OVERTAKEN), ("enwiki", State.DONE)
    ]  # fmt: skip


async def test_an_act_that_went_well_while_another_account_came_to_lead_was_the_persons(farm: Farm) -> None:
    owed = await in_hand_while_joined(farm)
    await farm.dispatcher._pay(owed)
    farm.clock.tick(days=1)
    await farm.settle()
    assert farm.acts == [("dewiki", 8)]
    assert [(one.wiki, one.state) for one in await farm.actions()] == [("dewiki", State.DONE)]


async def test_a_node_without_any_wiki_has_nothing_to_ask(farm: Farm) -> None:
    farm.policies = {}
    farm.compose()
    assert not await farm.identities.step()


async def test_an_adapter_that_fails_is_left_alone_like_a_wiki_that_is_down(farm: Farm) -> None:
    farm.wiki.people[9] = LOCAL
    await farm.bounce()
    await farm.bounce(user_id=9)
    farm.wiki.troubles = [TypeError("no such field")]
    assert await farm.identities.step()
    assert not await farm.identities.step(), "the other user's question waits, too"
    farm.clock.tick(minutes=1)
    while await farm.identities.step():
        pass
    assert sorted(farm.wiki.identified) == [7, 7, 9]


async def test_trouble_of_the_adapter_is_an_answer_for_whoever_asks(farm: Farm) -> None:
    farm.wiki.troubles = [TypeError("no such field")]
    with pytest.raises(WikiUnavailable, match="the adapter failed: TypeError"):
        await farm.dispatcher.calls.ask("enwiki", lambda wiki: wiki.identify(HOME.user_id))


async def test_what_a_dead_node_had_asked_is_asked_again_as_soon_as_what_it_owed_is_paid(farm: Farm) -> None:
    await farm.fail(HOME, HOME, HOME)
    assert await farm.identities._claim()
    farm.compose()
    await farm.settle()
    assert farm.acts == []
    farm.clock.tick(seconds=30)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]

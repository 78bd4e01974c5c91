"""One person at several wikis where a wiki lies, somebody cheats or the world changes: no address is lost."""

import asyncio
from dataclasses import replace

import pytest

from sidecar.domain.brake import Limits
from sidecar.domain.person import LOCAL, Account, Person
from sidecar.domain.wiki import Effect, WikiUnavailable
from sidecar.services.review import review
from sidecar.storage import belongings, people, tallies
from sidecar.storage.actions import State

from .farm import ANN, HOME, HOUR, OTHER, Farm
from .house import DAY, HARD, T0


async def group(farm: Farm, account: Account) -> list[Account]:
    return await farm.database.read(lambda c: people.accounts_of(c, account))


@pytest.mark.slow
async def test_a_wiki_that_calls_somebody_elses_account_its_own_persons_takes_no_address(farm: Farm) -> None:
    farm.join(Person("enwiki", (HOME,)))  # what home says
    farm.wikis["dewiki"].people[8] = ANN
    await farm.fail(OTHER, OTHER, OTHER)
    for _ in range(9):
        await farm.settle()
        farm.clock.tick(hours=3)
    assert farm.acts == []
    assert await group(farm, HOME) == [HOME]
    assert farm.counted("inquiries_total", answer="none") > 0
    assert len(farm.wiki.identified) < 20  # it is asked again, and seldom
    farm.wikis["dewiki"].people[8] = LOCAL  # mended
    await farm.settle()
    farm.clock.tick(hours=1)
    await farm.settle()
    assert farm.acts == [("dewiki", 8)]


async def test_a_wiki_that_denies_a_person_alone_takes_nobody_else_from_it(farm: Farm) -> None:
    third = Account("frwiki", 9)
    farm.policies["frwiki"] = farm.policies["enwiki"]
    farm.wikis["frwiki"] = type(farm.wiki)(farm.clock)
    farm.compose()
    farm.join(Person("enwiki", (HOME, OTHER, third)))
    await farm.fail(HOME)
    await farm.settle()
    assert await group(farm, third) == sorted([HOME, OTHER, third])
    farm.wikis["dewiki"].people[8] = LOCAL
    farm.clock.tick(days=2)
    await farm.fail(OTHER)
    await farm.settle()
    assert await group(farm, OTHER) == [OTHER]
    assert await group(farm, third) == sorted([HOME, third])
    assert farm.wikis["frwiki"].identified == []


async def test_wikis_that_tell_of_other_people_make_nobody_one_person(farm: Farm) -> None:
    others = Person("enwiki", (Account("enwiki", 70), Account("dewiki", 80)))
    farm.wiki.people[7] = farm.wikis["dewiki"].people[8] = others
    await farm.fail(HOME, OTHER, HOME, OTHER)
    await farm.settle()
    assert farm.acts == []
    assert [await group(farm, one) for one in (HOME, OTHER)] == [[HOME], [OTHER]]


async def test_what_failed_before_an_account_was_attached_is_no_failure_of_the_person(farm: Farm) -> None:
    """Somebody's account of old, whose address was another one and dead, is merged into a global one."""
    farm.join(Person("enwiki", (HOME,)))
    farm.wikis["dewiki"].people[8] = LOCAL
    farm.limits = Limits(delay=DAY)
    farm.compose()
    await farm.fail(OTHER, OTHER, OTHER)
    farm.join(replace(ANN, attached={HOME: T0 - 99 * DAY, OTHER: farm.clock()}))
    farm.clock.tick(days=2)
    await farm.bounce(user_id=HOME.user_id)  # by chance, once
    for _ in range(3):
        await farm.settle()
        farm.clock.tick(days=1)
    assert farm.acts == []
    story = await farm.database.read(lambda c: review(c, "dewiki", 8, farm.policies, farm.clock()))
    assert story
    means = [line.means for line in story.lines if line.what.startswith("dewiki: mail was sent")]
    assert means == ["sent before its account was attached to the person: to whoever had it then"] * 3
    await farm.fail(OTHER, OTHER)
    await farm.settle()
    farm.clock.tick(days=2)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]  # those count


async def test_mail_that_arrived_before_an_account_was_attached_proves_nothing_for_the_person(
    farm: Farm,
) -> None:
    farm.join(Person("enwiki", (HOME,)))
    farm.wikis["dewiki"].people[8] = LOCAL
    await farm.fail(HOME, OTHER)
    await farm.settle()
    await farm.watch.look()
    farm.path(8, HARD.recipient, "dewiki")  # to the address of then
    await farm.watch.flush()
    farm.join(replace(ANN, attached={HOME: T0 - 99 * DAY, OTHER: farm.clock() + HOUR}))
    farm.clock.tick(days=3)
    await farm.fail(HOME, HOME)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]


async def test_who_forgets_one_account_takes_no_proof_from_another(farm: Farm) -> None:
    """Mail to the forgotten account had arrived, at the address of both."""
    await farm.fail(OTHER, OTHER)
    await farm.settle()
    await farm.watch.look()
    farm.path(7)
    await farm.watch.flush()
    farm.clock.tick(days=3)
    user = belongings.User("enwiki", 7, ["wiki-none-"])
    await farm.database.write(lambda c: belongings.erase(c, user, farm.clock()))
    await farm.fail(OTHER)
    await farm.settle()
    assert farm.acts == []


async def test_who_confirms_again_at_any_wiki_is_left_alone_until_new_mail_fails(farm: Farm) -> None:
    late = [farm.path(8, HARD.recipient, "dewiki")]
    await farm.fail(HOME, OTHER, HOME)
    late.append(farm.path(8, HARD.recipient, "dewiki"))
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]
    farm.clock.tick(hours=1)
    for one in (HOME, OTHER):
        farm.wikis[one.wiki].confirm(one.user_id)  # at one of them: CentralAuth carries it to the other
    confirmed = farm.wiki.confirmed[7]
    for path in late:
        await farm.take(HARD.raw, path)
    await farm.fail(OTHER, HOME)
    await farm.settle()
    assert farm.wiki.confirmed[7] == confirmed
    await farm.fail(OTHER)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)] * 2


async def test_where_home_vanishes_from_the_configuration_the_next_account_leads_at_once(farm: Farm) -> None:
    await farm.fail(OTHER, HOME, OTHER)
    farm.reload("enwiki")
    await farm.settle()
    assert farm.acts == []  # two failures of its own
    await farm.fail(OTHER)
    await farm.settle()
    assert farm.acts == [("dewiki", 8)]


async def test_a_call_that_is_under_way_while_accounts_are_joined_and_fails_loses_no_decision(
    farm: Farm,
) -> None:
    farm.wikis["dewiki"].people[8] = LOCAL
    await farm.fail(OTHER, OTHER, OTHER)
    while await farm.identities.step():
        pass
    assert [(one.wiki, one.state) for one in await farm.actions()] == [("dewiki", State.WAITING)]
    farm.join(ANN)
    slow = farm.wikis["dewiki"]
    slow.gate.clear()
    slow.called.clear()
    call = asyncio.create_task(farm.dispatcher.step())
    await asyncio.to_thread(slow.called.wait, 20)
    await farm.bounce()  # at home, whose wiki says that they are one
    while await farm.identities.step():
        pass
    slow.troubles = [WikiUnavailable("down")]
    slow.gate.set()
    await call
    assert farm.wiki.calls == []
    farm.clock.tick(minutes=5)
    await farm.settle()
    assert [wiki for wiki, _ in farm.acts if farm.wikis[wiki].confirmed[7 if wiki == "enwiki" else 8] is None]
    assert farm.wiki.confirmed[7] is None
    assert [one.effect for one in await farm.actions(State.DONE)] == [Effect.UNCONFIRMED]


async def test_a_person_is_counted_once_however_the_clocks_of_the_nodes_differ(farm: Farm) -> None:
    await farm.fail(HOME)
    await farm.settle()
    await farm.bounce()
    before = await _failed(farm)
    farm.clock.tick(seconds=-30)  # another node's
    await farm.bounce(user_id=8, wiki="dewiki")
    assert await _failed(farm) == before


@pytest.mark.slow
async def test_a_person_with_accounts_at_five_hundred_wikis_is_one(farm: Farm) -> None:
    many = tuple(Account(f"w{number}wiki", 1000 + number) for number in range(500))
    for one in many:
        farm.policies[one.wiki] = farm.policies["dewiki"]
    farm.compose()
    farm.join(Person("enwiki", (OTHER, HOME)))
    for one in (HOME, OTHER):
        farm.wikis[one.wiki].people[one.user_id] = Person("enwiki", (*many, OTHER, HOME))
    await farm.fail(OTHER)
    await farm.settle()
    assert len(await group(farm, HOME)) == 502
    await farm.watch.look()
    assert sum(map(len, farm.watch.watched.users.values())) == 502
    await farm.fail(HOME, OTHER)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]
    assert sum(len(wiki.identified) for wiki in farm.wikis.values()) <= 8


async def _failed(farm: Farm) -> int:
    at = farm.clock()
    return (await farm.database.read(lambda c: tallies.failed(c, tallies.ALL, at, None, 1000))).users

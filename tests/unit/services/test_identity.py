"""One person, one streak, one act: accounts of several wikis, as CentralAuth joins them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sidecar.domain.brake import Limits
from sidecar.domain.person import LOCAL, Account, Person
from sidecar.domain.policy import Mode, Streak
from sidecar.domain.wiki import Mistyped, Warn, WikiMisconfigured, WikiUnavailable
from sidecar.services.review import review
from sidecar.storage import brakes, people
from sidecar.storage.actions import State
from sidecar.storage.brakes import BrakeState

from .farm import ANN, HOME, HOUR, OTHER, Farm
from .house import DAY, HARD, T0


async def test_failures_at_two_wikis_are_one_streak_and_one_act_at_home(farm: Farm) -> None:
    await farm.fail(OTHER, HOME, OTHER)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]
    [action] = await farm.actions()
    assert (action.wiki, action.user_id, action.state) == ("enwiki", 7, State.DONE)
    await farm.fail(HOME, OTHER)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]  # what was done is done for both accounts


async def test_equal_names_or_numbers_make_nobody_one_person(farm: Farm) -> None:
    namesake = Account("dewiki", 7)
    farm.wikis["dewiki"].confirmed[7] = T0 - 100 * DAY
    await farm.fail(namesake, HOME, HOME)
    await farm.settle()
    assert farm.acts == []
    assert await farm.database.read(lambda c: people.accounts_of(c, namesake)) == [namesake]


async def test_while_a_wiki_cannot_be_asked_nobody_loses_an_address(farm: Farm) -> None:
    farm.wiki.troubles = [WikiUnavailable("down")] * 3
    await farm.fail(HOME, HOME, HOME)
    for _ in range(3):
        await farm.settle()
        assert farm.wiki.calls == []
        assert [entry.state for entry in await farm.actions()] == [State.WAITING]
        farm.clock.tick(hours=2)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]


async def test_a_wiki_without_central_accounts_pays_nothing_until_that_is_mended(farm: Farm) -> None:
    farm.wiki.troubles = [WikiMisconfigured("the wiki has no CentralAuth: set central = false for it")]
    await farm.fail(HOME, HOME, HOME)
    await farm.settle()
    assert (farm.wiki.calls, farm.counted("inquiries_total", answer="none")) == ([], 1)
    farm.policies["enwiki"] = replace(farm.policies["enwiki"], central=False)
    farm.compose()
    farm.clock.tick(hours=1)  # it is left alone for a while
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]


async def test_a_bounce_calls_no_wiki(farm: Farm) -> None:
    await farm.fail(OTHER, HOME, HOME)
    assert [wiki.identified for wiki in farm.wikis.values()] == [[], []]


async def test_an_account_is_asked_about_once_a_day_at_most(farm: Farm) -> None:
    for _ in range(5):
        await farm.bounce()
        await farm.settle()
        farm.clock.tick(hours=1)
    assert farm.wiki.identified == [7]
    farm.clock.tick(days=1)
    await farm.bounce()
    await farm.settle()
    assert farm.wiki.identified == [7, 7]


async def test_what_was_owed_at_each_account_becomes_one_act_when_they_are_joined(farm: Farm) -> None:
    farm.limits = Limits(delay=HOUR)
    farm.wikis["dewiki"].people.clear()
    farm.wiki.people.clear()
    farm.compose()
    await farm.fail(HOME, OTHER, HOME, OTHER, HOME, OTHER)
    assert len(await farm.actions(State.WAITING)) == 2
    farm.join(ANN)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]
    assert [(one.wiki, one.state) for one in await farm.actions()] == [
        ("enwiki", State.DONE), ("dewiki", State.OVERTAKEN)
    ]  # fmt: skip


async def test_an_old_answer_is_renewed_before_anything_is_done(farm: Farm) -> None:
    farm.limits = Limits(delay=2 * DAY)
    farm.compose()
    await farm.fail(OTHER, HOME, OTHER)
    await farm.settle()
    assert [entry.state for entry in await farm.actions()] == [State.WAITING]
    farm.join(Person("enwiki", (HOME,)))  # detached meanwhile: two failures of three were another's
    farm.wikis["dewiki"].people[8] = LOCAL
    farm.clock.tick(days=2)
    await farm.settle()
    assert farm.acts == []
    assert [entry.state for entry in await farm.actions()] == [State.OVERTAKEN]


async def test_where_home_is_not_configured_the_account_that_was_attached_first_is_acted_on(
    farm: Farm,
) -> None:
    farm.join(Person("metawiki", (OTHER, HOME)))
    await farm.fail(HOME, HOME, HOME)
    await farm.settle()
    assert farm.acts == [("dewiki", 8)]


async def test_the_policy_of_the_leading_wiki_counts(farm: Farm) -> None:
    farm.policies["enwiki"] = replace(
        farm.policies["enwiki"], rule=Streak(hard_bounces=2, span=DAY), warn=True
    )
    await farm.fail(OTHER, OTHER)
    await farm.settle()
    [warning] = farm.wiki.calls
    assert isinstance(warning, Warn)
    assert farm.wikis["dewiki"].calls == []


async def test_mail_that_arrives_at_any_account_is_a_proof_for_all(farm: Farm) -> None:
    await farm.fail(HOME)
    await farm.settle()
    await farm.watch.look()
    farm.path(8, HARD.recipient, "dewiki")  # signed, and never heard of again
    await farm.watch.flush()
    farm.clock.tick(days=3)
    await farm.fail(HOME, HOME)
    await farm.settle()
    assert farm.acts == []
    story = await farm.database.read(lambda c: review(c, "enwiki", 7, farm.policies, farm.clock()))
    assert story
    assert any("dewiki: mail was signed; nothing came back" in str(line) for line in story.lines)


async def test_failures_at_a_wiki_in_shadow_mode_touch_nobody_elsewhere(farm: Farm) -> None:
    farm.policies["dewiki"] = replace(farm.policies["dewiki"], mode=Mode.SHADOW)
    await farm.fail(HOME, OTHER, OTHER, OTHER)
    await farm.settle()
    assert farm.acts == []
    assert [(one.wiki, one.state) for one in await farm.actions()] == [("dewiki", State.SHADOW)]
    await farm.fail(HOME, HOME)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]


async def test_a_home_in_shadow_mode_is_not_touched_by_failures_elsewhere(farm: Farm) -> None:
    farm.policies["enwiki"] = replace(farm.policies["enwiki"], mode=Mode.SHADOW)
    await farm.fail(OTHER, OTHER, OTHER)
    await farm.settle()
    assert farm.acts == []
    assert {one.state for one in await farm.actions()} <= {State.SHADOW, State.OVERTAKEN}


async def test_a_brake_on_any_of_the_wikis_holds_the_act(farm: Farm) -> None:
    await farm.fail(OTHER)
    await farm.settle()
    await farm.fail(OTHER)
    await farm.database.write(
        lambda c: brakes.trip(c, "", "dewiki", "by hand", farm.clock(), since=T0, hold_from=None)
    )
    await farm.fail(OTHER)
    await farm.settle()
    assert [(one.wiki, one.state) for one in await farm.actions()] == [("enwiki", State.HELD)]


async def test_a_brake_that_is_pulled_later_holds_what_its_wiki_has_led_to(farm: Farm) -> None:
    farm.limits = Limits(delay=HOUR)
    farm.compose()
    await farm.fail(OTHER, OTHER)
    await farm.settle()
    await farm.fail(OTHER)
    await farm.database.write(
        lambda c: brakes.trip(c, "", "dewiki", "by hand", farm.clock(), since=T0, hold_from=None)
    )
    assert [(one.wiki, one.state) for one in await farm.actions()] == [("enwiki", State.HELD)]


async def test_a_person_who_fails_at_two_wikis_is_one_user_to_the_brakes(farm: Farm) -> None:
    farm.limits = Limits(delay=timedelta(0), users_per_hour=1)
    farm.compose()
    await farm.bounce()
    await farm.settle()
    await farm.bounce(user_id=8, wiki="dewiki")
    assert await farm.database.read(lambda c: brakes.brakes(c, BrakeState.TRIPPED)) == []


async def test_a_mistyped_address_is_told_of_where_it_was_typed_and_at_once(farm: Farm) -> None:
    farm.wikis["dewiki"].confirmed[8] = None
    path = farm.verp.issue("dewiki", 8, HARD.recipient, farm.clock(), confirming=True)
    await farm.take(HARD.raw, path)
    await farm.dispatcher.step()
    [word] = farm.wikis["dewiki"].calls
    assert isinstance(word, Mistyped)


async def test_failures_of_before_central_accounts_are_asked_about_at_the_start(farm: Farm) -> None:
    for wiki, policy in farm.policies.items():
        farm.policies[wiki] = replace(policy, central=False)
    farm.compose()
    await farm.fail(OTHER, HOME, OTHER)
    await farm.settle()
    assert (farm.acts, farm.wiki.identified) == ([], [])
    for wiki, policy in farm.policies.items():
        farm.policies[wiki] = replace(policy, central=True)
    farm.compose()
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]


async def test_a_reload_makes_accounts_central_and_local_again_while_it_runs(farm: Farm) -> None:
    farm.reload(central=False)
    await farm.fail(OTHER, HOME, OTHER)
    await farm.settle()
    assert (farm.acts, farm.wiki.identified) == ([], [])
    farm.reload(central=True)
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]
    farm.reload(central=False)
    await farm.settle()
    assert await farm.database.read(people.groups) == {}
    await farm.fail(OTHER, HOME)
    await farm.settle()
    assert farm.acts == [("dewiki", 8), ("enwiki", 7)]  # by its own three; CentralAuth would say "already"


async def test_what_waits_for_a_wiki_that_was_wrongly_called_central_is_paid_after_a_reload(
    farm: Farm,
) -> None:
    farm.wiki.troubles = [WikiMisconfigured("the wiki has no CentralAuth: set central = false for it")]
    await farm.fail(HOME, HOME, HOME)
    await farm.settle()
    assert farm.acts == []
    farm.reload(central=False)
    farm.clock.tick(hours=1)  # it is left alone for a while
    await farm.settle()
    assert farm.acts == [("enwiki", 7)]


async def test_a_wiki_that_has_no_central_accounts_any_more_has_local_ones(farm: Farm) -> None:
    await farm.fail(OTHER)
    await farm.settle()
    farm.policies["enwiki"] = replace(farm.policies["enwiki"], central=False)
    farm.compose()
    await farm.settle()
    assert await farm.database.read(lambda c: people.accounts_of(c, OTHER)) == [OTHER]
    await farm.fail(HOME, HOME)
    await farm.settle()
    assert farm.acts == []


async def test_one_wiki_that_hangs_holds_up_no_other_and_is_called_by_one_thread_alone(farm: Farm) -> None:
    loops = [asyncio.create_task(farm.identities.run()), asyncio.create_task(farm.dispatcher.run())]
    farm.wiki.gate.clear()
    slow = farm.wiki
    await farm.fail(HOME)
    await asyncio.to_thread(slow.called.wait, 20)
    farm.wikis["dewiki"].people[9] = LOCAL
    farm.wikis["dewiki"].confirmed[9] = T0 - 100 * DAY
    await farm.fail(Account("dewiki", 9), Account("dewiki", 9), Account("dewiki", 9))
    async with asyncio.timeout(20):
        while farm.acts != [("dewiki", 9)]:
            await asyncio.sleep(0.01)
    assert slow.identified == [7]
    slow.gate.set()
    farm.identities.stop()
    farm.dispatcher.stop()
    await asyncio.gather(*loops)

"""What each part does with a new configuration: what is under way ends with what it began with."""

import asyncio
from dataclasses import replace

from sidecar.configuration.configured import WikiConfig
from sidecar.domain.access import BotPassword
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.wiki import LoginRefused, Unconfirm, WikiMisconfigured
from sidecar.orders import ways_of
from sidecar.services.lines import Lines, Way
from sidecar.services.reload import Wikis
from sidecar.services.watch import ANEW, Watch
from sidecar.storage.actions import State

from .house import DAY, HARD, RULES, T0, House, VillageWiki


def way(name: str, password: str = "p") -> WikiConfig:
    return WikiConfig(
        name, f"https://{name}.example.org/w/api.php", BotPassword("BounceBot@sidecar", password)
    )


def wikis(*names: str, mode: Mode = Mode.SHADOW) -> Wikis:
    return Wikis({name: way(name) for name in names}, dict.fromkeys(names, Policy(Streak(), mode)))


async def test_a_wiki_that_is_reached_as_before_keeps_its_session() -> None:
    opened: list[str] = []

    def open_wiki(one: WikiConfig) -> VillageWiki:
        opened.append(one.id)
        return VillageWiki()

    async def call_all() -> list[str]:
        for name, reached in lines.ways.items():
            act = Unconfirm(name, 7, T0, "a test")
            await lines.call(name, lambda port, act=act: port.perform(act), reached, T0)
        return opened

    lines = Lines(ways_of(open_wiki, wikis("enwiki", "dewiki")))
    assert await call_all() == ["enwiki", "dewiki"]
    changed = {**wikis("enwiki", "frwiki").ways, "dewiki": way("dewiki", "another password")}
    lines.use(ways_of(open_wiki, Wikis(changed, {})))
    assert await call_all() == ["enwiki", "dewiki", "frwiki", "dewiki"]
    lines.close()


async def test_what_is_owed_to_a_wiki_that_was_removed_waits_and_is_paid_when_it_is_back(
    house: House,
) -> None:
    await house.fail_for_eight_days(7)
    house.dispatcher.use(house.ways("dewiki"), {"dewiki": house.policies["dewiki"]})
    await house.pay()
    [entry] = await house.actions(State.WAITING)
    assert entry.error == "the wiki is not configured"
    house.dispatcher.use(house.ways(*house.wikis), house.policies)
    await house.pay()  # at once
    assert await house.states() == [(7, State.DONE, "unconfirmed")]


async def test_a_call_that_is_under_way_ends_with_the_wiki_it_began_with(house: House) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.gate.clear()
    paying = asyncio.create_task(house.pay())
    await asyncio.to_thread(house.wiki.called.wait, 10)
    house.dispatcher.use({}, {})
    house.wiki.gate.set()
    await paying
    assert await house.states() == [(7, State.DONE, "unconfirmed")]


async def test_a_wiki_with_another_password_is_tried_at_once(house: House) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.troubles = [LoginRefused("wrong password")]
    await house.pay()
    fresh = VillageWiki(house.clock)
    house.dispatcher.use({"enwiki": Way(lambda: fresh, "another")}, house.policies)
    await house.pay()
    assert [action.user_id for action in fresh.calls] == [7]


async def test_a_wiki_with_another_url_gets_a_fresh_try(house: House) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.troubles = [WikiMisconfigured("HTTP 404")]
    await house.pay()
    assert await house.pay() == 0
    mended = {"enwiki": Way(lambda: house.wiki, "of-enwiki", "another URL")}
    house.dispatcher.use(mended, house.policies)
    assert await house.pay() == 1


async def test_a_mail_that_is_being_read_is_booked_by_what_it_began_with(house: House) -> None:
    """The wiki goes while its bounce is in the reading room, and nothing fails."""
    path = house.path()
    taking = asyncio.create_task(house.take(HARD.raw, path))
    await asyncio.sleep(0)  # it has begun
    house.intake.use(RULES, {"dewiki": house.policies["dewiki"]})
    assert str(await taking) == "taken"
    assert await house.history() == [("user-unknown", True)]


async def test_a_send_that_a_key_of_before_signed_is_noted_after_it_was_revoked(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    house.path()
    other = house.signer("dewiki", key=b"n" * 32)
    house.paths.use(other)
    house.watch.use(house.policies, other)
    assert await house.watch.flush() == 1


async def test_everybody_is_looked_up_anew_if_a_policy_looks_further_back(house: House) -> None:
    watch = house.watching(house.database)
    await house.bounce()
    house.clock.tick(days=70)
    await watch.load()
    assert watch.watched.users == {}
    long = {wiki: replace(policy, rule=Streak(forget=100 * DAY)) for wiki, policy in house.policies.items()}
    watch.use(long, house.verp)
    await _a_round(watch)
    assert watch.watched.users == {"enwiki": {7}}
    assert ANEW == DAY


async def _a_round(watch: Watch) -> None:
    running = asyncio.create_task(watch.run())
    async with asyncio.timeout(10):
        while not watch.watched.users:
            await asyncio.sleep(0)
    watch.stop()
    await running

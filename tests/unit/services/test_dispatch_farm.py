"""Paying many wikis: those that hang and those that refuse the login keep no other waiting."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial

import pytest

from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.wiki import LoginRefused, Mistyped, WikiUnavailable
from sidecar.services import dispatch
from sidecar.services.circuit import OPINIONS
from sidecar.services.dispatch import Dispatcher
from sidecar.services.gauges import Gauges
from sidecar.services.lines import Lines, Way
from sidecar.services.places import ASIDE, CALLS, PROBATION
from sidecar.storage import circuits, outbox
from sidecar.storage.circuits import Standing
from sidecar.storage.outbox import Because

from .house import DAY, T0, House, VillageWiki

REFUSED = LoginRefused("wrong password")


class Farm:
    """Wikis that share a login, and are owed one action each."""

    def __init__(self, house: House) -> None:
        self.house, self.wikis = house, dict[str, VillageWiki]()

    async def add(self, *names: str, hanging: bool = False) -> None:
        for name in names:
            wiki = self.wikis[name] = VillageWiki()
            if hanging:
                wiki.gate.clear()
            self.house.policies[name] = Policy(Streak(), Mode.ENFORCE)
        await self.owe(*names)

    async def owe(self, *names: str, user: int = 7) -> None:
        for name in names:
            wanted = Mistyped(name, user, T0 - DAY, "a test")
            work = partial(outbox.enqueue, wanted=wanted, because=Because(), now=self.house.clock())
            await self.house.database.write(work)
            self.house.clock.tick(seconds=0.001)

    def dispatcher(self, login: str = "shared") -> Dispatcher:
        ways = {name: Way(lambda wiki=wiki: wiki, login) for name, wiki in self.wikis.items()}  # type: ignore[misc]
        house = self.house
        return Dispatcher(
            house.database, Lines(ways), house.policies, house.clock, lambda: 0.0, metrics=house.metrics
        )

    @contextlib.asynccontextmanager
    async def paying(self) -> AsyncIterator[None]:
        """In the midst of it; in the end, what hangs is let go."""
        dispatcher = self.dispatcher()
        running = asyncio.create_task(dispatcher.run())
        try:
            yield
        finally:
            for wiki in self.wikis.values():
                wiki.gate.set()
            dispatcher.stop()
            await asyncio.wait_for(running, 20)
            dispatcher.close()

    async def states(self, *names: str) -> set[str]:
        return {entry.state for entry in await self.house.actions() if entry.wiki in names}

    def called(self, *names: str) -> int:
        return sum(len(self.wikis[name].calls) for name in names or self.wikis)


@pytest.fixture
def farm(house: House) -> Farm:
    return Farm(house)


def named(prefix: str, number: int) -> list[str]:
    return [f"{prefix}{n}" for n in range(number)]


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not look():
            await asyncio.sleep(0.005)


async def drain(dispatcher: Dispatcher) -> int:
    steps = 0
    while await dispatcher.step():
        steps += 1
    dispatcher.close()
    return steps


@pytest.mark.slow
async def test_wikis_that_hang_give_their_places_to_the_others(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PROMPT", 0.02)
    hanging, well = named("h", CALLS + ASIDE - 1), named("w", 10)
    await farm.add(*hanging, hanging=True)
    await farm.add(*well)
    async with farm.paying():
        await until(lambda: farm.called(*well) == len(well))
        await until(lambda: farm.called(*hanging) == len(hanging))
        assert await farm.states(*hanging) == {"waiting"}, "each of their calls is still under way"
    assert await farm.states(*hanging, *well) == {"done"}


@pytest.mark.slow
async def test_wikis_that_failed_the_last_time_never_take_all_places(
    farm: Farm, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PROMPT", 0.02)
    troubled = named("t", 3 * PROBATION)
    await farm.add(*troubled, hanging=True)
    for name in troubled:
        row = Standing(name, 1, house.clock() - timedelta(seconds=1), "down", house.clock())
        await house.database.write(lambda c, row=row: circuits.put(c, row))  # type: ignore[misc]
    await farm.add("well")
    async with farm.paying():
        await until(lambda: farm.called("well"))
        await farm.owe("well", user=8)
        await until(lambda: farm.called("well") == 2)
        assert farm.called(*troubled) <= PROBATION


async def test_a_restart_does_not_show_a_wrong_password_again_and_another_one_is_tried_at_once(
    farm: Farm, house: House
) -> None:
    await farm.add("enwiki2")
    farm.wikis["enwiki2"].troubles = [REFUSED, REFUSED]
    assert await drain(farm.dispatcher()) == 1
    house.clock.tick(seconds=30)
    await farm.owe()
    assert await drain(farm.dispatcher()) == 0, "a restart, the same password"
    farm.wikis["enwiki2"].troubles = []
    assert await drain(farm.dispatcher("another password")) == 1
    assert await farm.states("enwiki2") == {"done"}


@pytest.mark.slow
async def test_fifty_wikis_that_refuse_a_login_hear_it_three_times_and_then_once_in_five_minutes(
    farm: Farm, house: House
) -> None:
    names = named("w", 50)
    await farm.add(*names)
    for wiki in farm.wikis.values():
        wiki.troubles = [REFUSED] * 100
    async with farm.paying():
        await until(lambda: farm.called() == OPINIONS)
    dispatcher = farm.dispatcher()
    for minute in range(1, 26):
        house.clock.tick(minutes=1)
        while await dispatcher.step():
            pass
        assert farm.called() == OPINIONS + minute // 5
    await Gauges(house.database, house.metrics, house.watchman(), dispatcher.calls).round()
    dispatcher.close()
    assert house.counted("circuits_open") == 50
    assert house.counted("wiki_trouble", wiki="w49", why="login") == 1


@pytest.mark.slow
async def test_wikis_that_refuse_a_login_that_others_take_do_not_keep_those_from_being_paid(
    farm: Farm, house: House
) -> None:
    refusing, well = named("r", 5), named("w", 40)
    await farm.add("w0", *refusing[:2], *well[1:], *refusing[2:])
    for name in refusing:
        farm.wikis[name].troubles = [REFUSED] * 100
    dispatcher = farm.dispatcher()
    running = asyncio.create_task(dispatcher.run())
    await until(lambda: farm.called() == 45)
    dispatcher.stop()
    await running
    dispatcher.close()
    assert (await farm.states(*well), await farm.states(*refusing)) == ({"done"}, {"waiting"})


async def test_a_wiki_that_is_down_is_remembered_by_the_next_process(farm: Farm, house: House) -> None:
    await farm.add("w1")
    farm.wikis["w1"].troubles = [WikiUnavailable("down")] * 3
    for seconds in (0, 30, 60):
        house.clock.tick(seconds=seconds)
        assert await drain(farm.dispatcher()) == 1
    rows = await house.database.read(circuits.standing)
    assert (rows["w1"].failures, rows["w1"].why) == (3, "down")

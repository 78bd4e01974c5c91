"""Two nodes at the same person at the same instant: each course of events is forced, none left to luck.

A node's transaction is held open after its work; what the other does meanwhile is seen in the server's own
list of those who wait for a lock.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeVar

import pytest
import sqlalchemy as sa

from sidecar.domain.person import LOCAL, Account, Person
from sidecar.domain.policy import Streak
from sidecar.storage import people, tallies
from sidecar.storage.database import Database
from sidecar.storage.schema import action, action_bounce
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import ON_SERVERS

from .farm import ANN, HOME, OTHER, Farm

R = TypeVar("R")
PATIENCE = 20.0  # seconds for what takes some milliseconds


class Holding(Database):
    """A database whose transactions can be held open between their work and their commit."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.done, self.let_go = threading.Event(), threading.Event()
        self.let_go.set()
        self._holds: Callable[[sa.Connection], bool] = lambda _: False

    def hold(self, when: Callable[[sa.Connection], bool] = lambda _: True) -> None:
        """From now on, those transactions of which this is true after their work."""
        self._holds = when
        self.done.clear()
        self.let_go.clear()

    async def write(self, work: Callable[[sa.Connection], R]) -> R:
        def held(connection: sa.Connection) -> R:
            result = work(connection)
            if self._holds(connection):
                self.done.set()
                assert self.let_go.wait(PATIENCE)
            return result

        return await super().write(held)


class Nodes:
    """Three nodes over one database, which call the same wikis."""

    def __init__(self, url: str, server: DatabaseServer) -> None:
        self.databases = [Holding(url) for _ in range(3)]
        self.farms = [Farm(database) for database in self.databases]
        for farm in self.farms[1:]:
            farm.wikis, farm.wiki = self.first.wikis, self.first.wiki
        self._server = server

    @property
    def first(self) -> Farm:
        return self.farms[0]

    def tick(self, **duration: float) -> None:
        for farm in self.farms:
            farm.clock.tick(**duration)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.005)

    @property
    def blocked(self) -> int:
        """How many transactions wait for a lock."""
        return self._server.waiting()

    def held(self, *numbers: int) -> int:
        """How many of these nodes have done their work, and have not committed."""
        return sum(self.databases[number].done.is_set() for number in numbers)

    async def waits_or_is_done(self, task: "asyncio.Task[object]") -> None:
        await self.until(lambda: task.done() or self.blocked > 0)

    async def settle(self) -> None:
        for farm in self.farms:
            await farm.settle()


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def nodes(url: str, server: DatabaseServer) -> AsyncIterator[Nodes]:
    nodes = Nodes(url, server)
    for database in nodes.databases:
        await database.open()
    yield nodes
    for farm in nodes.farms:
        farm.database.let_go.set()  # type: ignore[attr-defined]
        farm.close()
        await farm.database.close()


def fails(farm: Farm, one: Account) -> "asyncio.Task[object]":
    return asyncio.create_task(farm.bounce(user_id=one.user_id, wiki=one.wiki))


async def decided(farm: Farm) -> list[tuple[str, int, int]]:
    """At which account something was decided, and because of how many mails."""
    query = (
        sa.select(action.c.wiki, action.c.user_id, sa.func.count(action_bounce.c.bounce_id))
        .join(action_bounce, action_bounce.c.action_id == action.c.id)
        .group_by(action.c.id)
    )
    return await farm.database.read(lambda connection: [tuple(row) for row in connection.execute(query)])


def joined(connection: sa.Connection) -> bool:
    """Whether this transaction knows of an account that is led by another."""
    return bool(people.groups(connection))


async def fail_at_once(nodes: Nodes) -> None:
    """At both wikis; the first node has not committed when the second one begins."""
    nodes.databases[0].hold()
    at_other = fails(nodes.farms[0], OTHER)
    await nodes.until(nodes.databases[0].done.is_set)
    at_home = fails(nodes.farms[1], HOME)
    await nodes.waits_or_is_done(at_home)
    nodes.databases[0].let_go.set()
    await asyncio.gather(at_other, at_home)


async def before(nodes: Nodes, *, known: bool, enough: int) -> None:
    """Three failures, the last two ten minutes before what follows: the person is counted already.

    Who is to be counted waits for all others of that provider (tallies.py), and the locks would show nothing.
    """
    for farm in nodes.farms:
        for wiki, policy in farm.policies.items():
            farm.policies[wiki] = replace(policy, rule=Streak(hard_bounces=enough))
    if not known:
        nodes.first.wiki.people.clear()
    await fails(nodes.first, HOME)
    nodes.tick(days=8)
    await fails(nodes.first, HOME)
    await fails(nodes.first, OTHER)
    if known:
        await nodes.settle()
    nodes.tick(minutes=10)
    nodes.first.join(ANN)


async def test_the_last_failures_booked_at_two_wikis_at_once_are_one_act_decided_on_all(
    nodes: Nodes,
) -> None:
    await before(nodes, known=True, enough=5)
    await fail_at_once(nodes)
    assert await decided(nodes.first) == [("enwiki", 7, 5)]


async def test_what_is_booked_while_an_answer_joins_it_to_a_person_counts_with_it(nodes: Nodes) -> None:
    await before(nodes, known=False, enough=4)
    asks, books, _ = nodes.farms
    nodes.databases[0].hold(joined)
    answer = asyncio.create_task(asks.settle())
    await nodes.until(nodes.databases[0].done.is_set)
    booked = fails(books, OTHER)
    await nodes.waits_or_is_done(booked)
    nodes.databases[0].let_go.set()
    await asyncio.gather(answer, booked)
    assert await decided(asks) == [("enwiki", 7, 4)]


async def test_an_answer_that_comes_while_something_is_booked_is_followed_by_the_decision(
    nodes: Nodes,
) -> None:
    await before(nodes, known=False, enough=4)
    asks, books, _ = nodes.farms
    nodes.databases[1].hold()
    booked = fails(books, OTHER)
    await nodes.until(nodes.databases[1].done.is_set)
    answer = asyncio.create_task(asks.settle())
    await nodes.waits_or_is_done(answer)
    nodes.databases[1].let_go.set()
    await asyncio.gather(answer, booked)
    assert await decided(asks) == [("enwiki", 7, 4)]


async def test_who_waited_for_an_answer_waits_for_the_new_lead_too(nodes: Nodes) -> None:
    """The account that is booked for was local when its row was locked; by then it is not."""
    await before(nodes, known=False, enough=5)
    asks, at_other, at_home = nodes.farms
    nodes.databases[0].hold(joined)
    answer = asyncio.create_task(asks.settle())
    await nodes.until(nodes.databases[0].done.is_set)
    for database in nodes.databases[1:]:
        database.hold()
    both = [fails(at_other, OTHER), fails(at_home, HOME)]
    await nodes.until(lambda: nodes.blocked == 2)
    nodes.databases[0].let_go.set()
    await answer
    await nodes.until(lambda: nodes.held(1, 2) + nodes.blocked == 2 and nodes.held(1, 2) > 0)
    for database in nodes.databases[1:]:
        database.let_go.set()
    await asyncio.gather(*both)
    assert await decided(asks) == [("enwiki", 7, 5)]


async def test_who_is_detached_while_something_is_booked_is_decided_on_alone_with_it(nodes: Nodes) -> None:
    """The booking has locked the account that leads, and the answer is about another one."""
    asks, books, _ = nodes.farms
    await fails(asks, OTHER)
    await nodes.settle()
    nodes.tick(days=8)
    await fails(asks, OTHER)
    nodes.tick(minutes=10)
    asks.join(Person("enwiki", (HOME,)))
    asks.wikis["dewiki"].people[OTHER.user_id] = LOCAL
    nodes.databases[1].hold()
    booked = fails(books, OTHER)
    await nodes.until(nodes.databases[1].done.is_set)
    answer = asyncio.create_task(asks.settle())
    await nodes.waits_or_is_done(answer)
    nodes.databases[1].let_go.set()
    await asyncio.gather(answer, booked)
    await nodes.settle()
    assert asks.acts == [("dewiki", 8)]


async def test_who_fails_at_two_wikis_and_nodes_at_once_is_one_user_to_the_brakes(nodes: Nodes) -> None:
    """Though the clock of the one that books later is behind."""
    first, second, _ = nodes.farms
    await fails(first, HOME)
    await nodes.settle()
    nodes.tick(days=8)
    second.clock.tick(seconds=-30)
    await fail_at_once(nodes)
    at = first.clock()
    failed = await first.database.read(lambda c: tallies.failed(c, tallies.ALL, at, None, 1000))
    assert failed.users == 1

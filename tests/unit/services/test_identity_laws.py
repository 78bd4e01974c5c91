"""What holds for every course of events at several wikis: their order, nodes, and other people's bounces."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.domain.brake import Limits
from sidecar.domain.person import Account, Person
from sidecar.services.receipt import Receipt
from sidecar.storage.database import Database
from tests.support.fixtures_databases import ON_SERVERS
from tests.support.fresh_history import in_memory

from .farm import HOME, OTHER, Farm
from .house import DAY, HARD, T0

pytestmark = pytest.mark.slow

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMESAKE = Account("dewiki", 7)  # of the same number, on the other wiki, and nobody's but its own

SENDINGS = st.lists(
    st.tuples(st.integers(0, 9 * 24), st.sampled_from([HOME, OTHER, NAMESAKE])),
    min_size=1, max_size=8, unique_by=lambda sending: sending[0],
)  # fmt: skip


async def opened() -> tuple[Farm, Database]:
    database = await in_memory()
    return Farm(database), database


async def outcome(
    sendings: list[tuple[int, Account]], order: list[int], asked: list[int]
) -> tuple[list[tuple[str, int]], set[Account]]:
    """Who was un-confirmed, after the bounces came in that order and the wikis were asked in between."""
    farm, database = await opened()
    notices = []
    for hour, account in sorted(sendings):
        farm.clock.now = T0 + hour * (DAY / 24)
        notices.append(farm.path(account.user_id, HARD.recipient, account.wiki))
    farm.clock.now = T0 + 9.5 * DAY
    for number, place in enumerate(order):
        if number in asked:
            while await farm.identities.step():
                pass
        assert await farm.take(HARD.raw, notices[place % len(notices)]) in (
            Receipt.TAKEN, Receipt.DUPLICATE,
        )  # fmt: skip
    await farm.settle()
    acts = sorted(farm.acts)
    gone = {
        one for one in (HOME, NAMESAKE) if farm.wikis[one.wiki].confirmed[one.user_id] is None
    }  # fmt: skip
    farm.close()
    await database.close()
    return acts, gone


@FEW
@given(
    sendings=SENDINGS,
    again=st.lists(st.integers(0, 7), max_size=4),
    asked=st.lists(st.integers(0, 11), max_size=4),
    chance=st.randoms(use_true_random=False),
)
def test_order_over_wikis_and_the_moment_of_asking_never_change_the_outcome(
    sendings: list[tuple[int, Account]], again: list[int], asked: list[int], chance: object
) -> None:
    order = list(range(len(sendings))) + again
    first = asyncio.run(outcome(sendings, order, []))
    chance.shuffle(order)  # type: ignore[attr-defined]
    assert asyncio.run(outcome(sendings, order, asked)) == first


@FEW
@given(sendings=SENDINGS)
def test_a_local_account_is_never_touched_by_the_bounces_of_others_nor_they_by_its(
    sendings: list[tuple[int, Account]],
) -> None:
    order = list(range(len(sendings)))
    _, gone = asyncio.run(outcome(sendings, order, []))
    for alone in ({HOME, OTHER}, {NAMESAKE}):
        own = [sending for sending in sendings if sending[1] in alone]
        if own:
            _, alone_gone = asyncio.run(outcome(own, list(range(len(own))), []))
            assert gone & alone == alone_gone & alone


USERS = range(1, 21)


@pytest.mark.parametrize("known", [True, False], ids=["known before", "asked meanwhile"])
@pytest.mark.parametrize("kind", ON_SERVERS, indirect=True)
async def test_two_nodes_that_book_one_person_at_once_owe_one_act(url: str, known: bool) -> None:
    """Each of the last two failures is booked at another wiki and node: only together they are enough."""
    nodes = first, second = [Farm(Database(url)) for _ in range(2)]
    second.wikis = first.wikis  # the same wikis, from both
    try:
        for node in nodes:
            await node.database.open()
            node.limits = Limits(delay=timedelta(0), least=1000)  # no brake: some are counted twice, unknown
            node.compose()
        for user in USERS:
            first.join(Person("enwiki", (Account("dewiki", 50 + user), Account("enwiki", user))))
            await first.bounce(user_id=user)
        while known and await first.identities.step():
            pass
        for node in nodes:
            node.clock.tick(days=8)
        await asyncio.gather(
            *(second.bounce(user_id=50 + user, wiki="dewiki") for user in USERS),
            *(first.bounce(user_id=user) for user in USERS),
            *(node.identities.step() for node in nodes for _ in USERS),
        )
        for node in nodes:
            await node.settle()
        assert sorted(first.acts) == [("enwiki", user) for user in USERS]
    finally:
        for node in nodes:
            node.close()
            await node.database.close()

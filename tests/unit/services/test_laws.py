"""What holds for every course of events, with the services together and a real database, in memory."""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.domain.policy import PRESETS, Mode, Policy, Streak, Window
from sidecar.domain.wiki import WikiMisconfigured, WikiRefused, WikiUnavailable
from sidecar.services.receipt import Receipt
from sidecar.storage import actions, claims, outbox
from sidecar.storage.actions import State
from sidecar.storage.database import Database
from sidecar.storage.schema import action, action_bounce
from tests.support.fresh_history import in_memory

from .house import DAY, HARD, SOFT, T0, House, Mail

pytestmark = pytest.mark.slow

ELSEWHERE = "elsewhere@example.net"
ANSWERS: dict[str, Mail | None] = {
    "hard": HARD,
    "soft": SOFT.about(HARD.recipient),
    "nothing": None,
    "hard elsewhere": HARD.about(ELSEWHERE),
    "nothing elsewhere": None,
}

POLICIES = st.builds(
    Policy,
    rule=st.sampled_from([preset.rule for preset in PRESETS.values()] + [Streak(2, DAY), Window(2, DAY)]),
    mode=st.just(Mode.ENFORCE),
    warn=st.booleans(),
    settle=st.sampled_from([DAY, 2 * DAY]),
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


async def built(policy: Policy) -> tuple[House, Database]:
    database = await in_memory()
    house = House(database)
    house.policies["enwiki"] = policy
    return house, database


@dataclass(frozen=True)
class Sending:
    """A mail of those ten days in which its bounce is taken."""

    hour: int
    answer: str

    @property
    def address(self) -> str:
        return ELSEWHERE if "elsewhere" in self.answer else HARD.recipient


SENDINGS = st.builds(
    Sending,
    hour=st.integers(0, 9 * 24),
    answer=st.sampled_from(["hard"] * 6 + list(ANSWERS)),
)


async def outcome(
    policy: Policy, sendings: list[Sending], order: list[int], batch: int, confirmed: datetime | None
) -> tuple[object, ...]:
    """What the wiki holds after all has come in this order, in batches, and everything was paid."""
    house, database = await built(policy)
    house.wiki.confirmed[7] = confirmed
    house.watch.add("enwiki", 7)
    notices = []
    for sending in sorted(sendings, key=lambda sending: sending.hour):
        house.clock.now = T0 + timedelta(hours=sending.hour)
        path = house.path(7, sending.address)
        if mail := ANSWERS[sending.answer]:
            notices.append((mail.raw, path))
    await house.watch.flush()
    house.clock.now = T0 + 9.5 * DAY
    queue = [notices[number % len(notices)] for number in order] if notices else []
    for start in range(0, len(queue), batch):
        for receipt in await asyncio.gather(*(house.take(*one) for one in queue[start : start + batch])):
            assert receipt in (Receipt.TAKEN, Receipt.DUPLICATE)
    await house.pay()
    held = (
        house.wiki.confirmed[7],
        house.wiki.told,
        [action.confirmed_before for _, action in house.wiki.acts],
    )
    house.close()
    await database.close()
    return held


@FEW
@given(
    policy=POLICIES,
    sendings=st.lists(SENDINGS, min_size=1, max_size=9, unique_by=lambda sending: sending.hour),
    again=st.lists(st.integers(0, 8), max_size=6),
    batch=st.integers(1, 5),
    confirmed=st.sampled_from([T0 - DAY, T0 - DAY, T0 - DAY, T0 + DAY, None]),
    chance=st.randoms(use_true_random=False),
)
def test_order_repetition_and_batches_of_notices_never_change_the_outcome(
    policy: Policy,
    sendings: list[Sending],
    again: list[int],
    batch: int,
    confirmed: datetime | None,
    chance: random.Random,
) -> None:
    straight = list(range(len(sendings)))
    mixed = straight + again
    chance.shuffle(mixed)

    async def story() -> None:
        first = await outcome(policy, sendings, straight, 1, confirmed)
        assert await outcome(policy, sendings, mixed, batch, confirmed) == first

    run(story())


HARD_AT = [Sending(hour, "hard") for hour in (0, 96, 100, 150)]


@pytest.mark.parametrize(
    ("rule", "sendings", "confirmed", "order", "acts"),
    [
        # The last notice is soft, and takes back the proof that stood between three failures.
        (Streak(), [HARD_AT[0], Sending(96, "soft"), *HARD_AT[2:]], T0 - DAY, [0, 2, 3, 1], [T0]),
        # Decided because of the youngest two; then older ones come, and the user has confirmed since those.
        (Streak(2, DAY), HARD_AT, T0 + DAY, [3, 2, 1, 0], []),
        (Streak(2, DAY), HARD_AT, T0 - DAY, [3, 2, 1, 0], [T0]),
        # Decided because of the old address, before the notice of the new one comes, or after.
        (Streak(2, DAY), [*HARD_AT, Sending(160, "hard elsewhere")], T0 - DAY, [4, 0, 1, 2, 3], []),
    ],
    ids=["soft comes last", "older ones come, confirmed", "older ones come", "another address comes first"],
)
async def test_of_the_orders_that_are_easily_got_wrong(
    rule: Streak, sendings: list[Sending], confirmed: datetime, order: list[int], acts: list[datetime]
) -> None:
    policy = Policy(rule, Mode.ENFORCE)
    held = await outcome(policy, sendings, order, 1, confirmed)
    assert held == await outcome(policy, sendings, sorted(order), 1, confirmed)
    assert held == await outcome(policy, sendings, order, len(order), confirmed)
    assert held[2] == acts


TROUBLES = {
    "down": WikiUnavailable("down"),
    "misconfigured": WikiMisconfigured("password"),
    "refused": WikiRefused("no"),
    "bug": ZeroDivisionError(),
}
EVENTS = (
    ["hard"] * 14
    + ["soft", "nothing", "late", "elsewhere", "confirm", "die", "retry", "hasten", "lost", "answered"]
    + [*TROUBLES]
    + ["pay"] * 6
)


class Course:
    """One user through any events; the wiki keeps count of what was really done to the address."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.late: list[str] = []
        self.confirmations: list[datetime] = []

    async def happen(self, event: str) -> None:
        house = self.house
        match event:
            case "hard":
                await house.bounce()
            case "soft":
                await house.bounce(SOFT.about(HARD.recipient))
            case "elsewhere":
                await house.bounce(HARD.about(ELSEWHERE))
            case "nothing":
                self.late.append(house.path())
                await house.watch.flush()
            case "late" if self.late:
                await house.take(HARD.raw, self.late.pop())
            case "confirm":
                house.wiki.confirm(7)
                self.confirmations.append(house.clock())
            case "die":  # between the claim and the answer
                now = house.clock()
                await house.database.write(lambda c: claims.claim(c, now, now + claims.LEASE, ()))
            case "lost" | "answered":
                house.wiki.lost = [WikiUnavailable("no answer")] if event == "lost" else []
            case "retry" | "hasten":
                await self.retry()
            case "pay":
                await house.pay()
            case trouble if trouble in TROUBLES:
                house.wiki.troubles = [TROUBLES[trouble]]

    async def retry(self) -> None:
        now = self.house.clock()
        for entry in await self.house.database.read(actions.entries):
            await self.house.database.write(lambda c, id_=entry.id: outbox.retry(c, id_, now))  # type: ignore[misc]


def bounces_of_un_confirmations(connection: sa.Connection) -> list[int]:
    """The bounces that led to each un-confirmation that was done."""
    query = sa.select(action_bounce.c.bounce_id).join(action, action.c.id == action_bounce.c.action_id)
    done = (action.c.kind == "unconfirm") & action.c.effect.in_(["unconfirmed", "already"])
    return list(connection.execute(query.where(done)).scalars())


@FEW
@given(
    policy=POLICIES,
    events=st.lists(
        st.tuples(st.sampled_from(EVENTS), st.sampled_from([0.01, 0.5, 1.5, 3, 4])), min_size=15, max_size=40
    ),
)
def test_no_streak_leads_to_two_un_confirmations_and_none_comes_unwarned(
    policy: Policy, events: list[tuple[str, float]]
) -> None:
    async def story() -> None:
        house, database = await built(policy)
        course = Course(house)
        for event, days in events:
            await course.happen(event)
            house.clock.tick(days=days)
        house.wiki.troubles, house.wiki.lost = [], []
        house.clock.tick(days=1)
        await house.pay()
        acts = house.wiki.acts
        for (first, _), (_, second) in pairwise(acts):
            assert second.confirmed_before > first, "mail that had been settled was counted again"
            assert any(first <= confirmed for confirmed in course.confirmations)
        because = await database.read(lambda c: bounces_of_un_confirmations(c))
        assert len(because) == len(set(because)), "a bounce has led to two of them"
        if policy.warn and acts:
            assert house.wiki.told[0] == ("warned", 7)
        done = await database.read(lambda c: actions.entries(c, State.DONE))
        kinds = [entry.kind for entry in done if entry.effect in ("warned", "unconfirmed")]
        if policy.warn:
            assert all(kinds[n - 1] == "warn" for n, kind in enumerate(kinds) if kind == "unconfirm" and n)
        house.close()
        await database.close()

    run(story())


def test_the_course_of_events_can_end_in_an_un_confirmation() -> None:
    """Else the law above would hold of nothing."""

    async def story() -> None:
        house, database = await built(replace(Policy(Streak(), Mode.ENFORCE), warn=True))
        course = Course(house)
        for event in ("hard", "hard", "hard", "pay", "hard", "down", "pay", "hard", "lost", "pay", "pay"):
            await course.happen(event)
            house.clock.tick(days=4)
        assert house.wiki.told == [("warned", 7), ("un-confirmed", 7)]
        assert len(house.wiki.acts) == 1
        house.close()
        await database.close()

    run(story())

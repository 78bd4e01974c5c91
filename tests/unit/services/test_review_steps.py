"""Why, step by step: nothing in it is known only since, and nothing is called what it is not."""

from datetime import timedelta

from sidecar.domain.history import Standing
from sidecar.domain.wiki import WikiRefused
from sidecar.storage import brakes, histories, outbox

from .house import HARD, SOFT, House
from .test_review import brake, lines, outlook, pay


async def test_what_became_of_it_under_a_brake_is_told_step_by_step(house: House) -> None:
    await house.fail_for_eight_days(7)
    for settle in (brakes.release, brakes.discard):
        house.clock.tick(hours=1)
        await brake(house)
        house.clock.tick(hours=1)
        [tripped] = await house.database.read(lambda c: brakes.brakes(c, brakes.BrakeState.TRIPPED))
        await house.database.write(lambda c, s=settle, n=tripped.id: s(c, n, house.clock()))  # type: ignore[misc]
    assert (await lines(house))[-4:] == [
        "action 1: held: by brake 1: the provider moves",
        "action 1: released: by an operator: brake 1",
        "action 1: held: by brake 2: the provider moves",
        "action 1: discarded: by an operator: brake 2",
    ]
    ago = [house.clock() - timedelta(minutes=minutes) for minutes in (30, 90, 150, 210)]
    assert [await outlook(house, at) for at in ago] == [
        "action 1 (unconfirm) is held",
        "action 1 (unconfirm) is waiting",
        "action 1 (unconfirm) is held",
        "action 1 (unconfirm) is waiting",
    ]
    assert await outlook(house) == "enough to act at the next failure"


async def test_a_decision_is_told_as_it_was_made_whatever_was_revived_or_decided_anew_since(
    house: House,
) -> None:
    house.wiki.troubles = [WikiRefused("no such user")]
    await house.fail_for_eight_days(7)
    await house.bounce()
    await pay(house)
    then = house.clock()
    house.clock.tick(days=1)
    await house.database.write(lambda c: outbox.retry(c, 1, house.clock()))
    assert "decided: unconfirm, waiting: 3 hard bounces" in (await lines(house, then))[-2]
    assert (await lines(house, then))[-1] == "action 1: dead: no such user"
    assert await outlook(house) == "action 1 (unconfirm) is waiting"


async def test_what_is_not_looked_at_is_not_said_to_be_settled(house: House) -> None:
    for _ in range(histories.OTHERS + 1):
        await house.bounce(SOFT)
        house.clock.tick(minutes=1)
    told = await lines(house)
    assert told[0].endswith("-> not looked at: newer ones decide")
    assert all(line.endswith(f"-> {Standing.SOFT}") for line in told[1:])


async def test_a_forwarded_mail_is_told_once_and_has_arrived(house: House) -> None:
    await house.bounce()
    house.clock.tick(days=1)
    path = house.path()
    await house.watch.flush()
    await house.take(HARD.about("list@example.com").raw, path)
    house.clock.tick(days=3)
    assert [line.rpartition("-> ")[2] for line in await lines(house)] == [
        Standing.BEFORE_PROOF, Standing.ARRIVED
    ]  # fmt: skip

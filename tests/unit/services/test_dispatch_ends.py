"""What is not paid for long: we give up, it is forgotten, an operator revives it."""

from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.wiki import WikiRefused
from sidecar.storage import outbox
from sidecar.storage.actions import State

from .house import DAY, House
from .test_dispatch import DOWN, pay_all


async def test_an_operator_revives_what_is_dead(house: House) -> None:
    house.wiki.troubles = [WikiRefused("the extension is too old")]
    await house.fail_for_eight_days()
    await pay_all(house)
    [action] = await house.actions()
    assert await house.database.write(lambda c: outbox.retry(c, action.id, house.clock()))
    await pay_all(house)
    assert await house.states() == [(7, "done", "unconfirmed")]


#: Of which a failure is not forgotten before we give up.
UNFORGETTING = Policy(Streak(forget=365 * DAY), Mode.ENFORCE)


async def test_after_a_quarter_we_give_up(house: House) -> None:
    house.policies["enwiki"] = UNFORGETTING
    await house.fail_for_eight_days()
    for days, state in ((0, State.WAITING), (90, State.WAITING), (1, State.DEAD)):
        house.clock.tick(days=days)
        house.wiki.troubles = [DOWN]
        assert await pay_all(house) == 1
        [action] = await house.actions()
        assert action.state == state
    assert action.error == "gave up: the wiki is read-only"


async def test_what_nobody_could_carry_out_for_two_months_is_forgotten(house: House) -> None:
    await house.fail_for_eight_days()
    house.clock.tick(days=61)
    assert await pay_all(house) == 0
    assert await house.states() == [(7, "overtaken", "")]


async def test_what_is_revived_after_we_gave_up_has_another_quarter(house: House) -> None:
    house.policies["enwiki"] = UNFORGETTING
    await house.fail_for_eight_days()
    house.clock.tick(days=91)
    house.wiki.troubles = [DOWN, DOWN]
    await pay_all(house)
    [action] = await house.actions(State.DEAD)
    house.clock.tick(days=1)
    await house.database.write(lambda c: outbox.retry(c, action.id, house.clock()))
    assert await pay_all(house) == 1
    assert await house.states() == [(7, "waiting", "")]

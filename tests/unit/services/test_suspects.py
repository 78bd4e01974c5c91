"""A key has leaked: what was booked under it can be told, pardoned and taken back."""

from datetime import datetime

from sidecar.services.undo import undo
from sidecar.storage.actions import State
from sidecar.storage.suspects import Suspects, by_key, pardon, suspects

from .house import DAY, T0, House


def key_id(house: House) -> str:
    return house.verp.recognise(house.path(), house.clock()).key_id


async def looked(house: House, since: datetime | None = None) -> Suspects:
    key = key_id(house)
    return await house.database.read(lambda connection: suspects(connection, key, since))


async def pardoned(house: House, since: datetime | None = None) -> int:
    key = key_id(house)
    return await house.database.write(lambda connection: pardon(connection, key, since, house.clock()))


async def test_what_is_owed_because_of_pardoned_bounces_is_overtaken(house: House) -> None:
    await house.fail_for_eight_days(7, 8)
    found = await looked(house)
    assert (found.bounces, found.hard, found.users, found.unconfirmed) == (6, 6, 2, [])
    assert await pardoned(house) == 6
    await house.pay()
    assert [(state, effect) for _, state, effect in await house.states()] == [(State.OVERTAKEN, "")] * 2
    assert house.wiki.acts == []
    after = await looked(house)
    assert (after.bounces, after.hard, after.users) == (6, 0, 2)


async def test_only_what_came_since_the_leak_is_pardoned(house: House) -> None:
    await house.fail_for_eight_days(7)
    assert (await looked(house, T0 + 2 * DAY)).hard == 2
    assert await pardoned(house, T0 + 2 * DAY) == 2
    assert (await looked(house)).hard == 1
    assert await pardoned(house, T0 + 2 * DAY) == 0  # repeatable


async def test_whom_it_un_confirmed_is_told_and_confirmed_again(house: House) -> None:
    await house.fail_for_eight_days(7)
    await house.pay()
    [act] = (await looked(house)).unconfirmed
    assert (act.wiki, act.user_id, act.undone) == ("enwiki", 7, False)
    await pardoned(house)
    await house.database.write(lambda connection: undo(connection, [act], house.clock()))
    await house.pay()
    assert house.wiki.confirmed[7] is not None
    assert [one.undone for one in (await looked(house)).unconfirmed] == [True]


async def test_bounces_of_other_keys_are_left_alone(house: House) -> None:
    await house.fail_for_eight_days(7)
    assert await house.database.read(by_key) == {key_id(house): 3}
    foreign = await house.database.write(
        lambda connection: pardon(connection, "0badc0de", None, house.clock())
    )
    assert (foreign, (await looked(house)).hard) == (0, 3)

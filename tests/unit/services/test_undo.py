"""Undo: what we did is taken back, once, and nothing else is touched."""

from datetime import datetime

import pytest

from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.wiki import Restore, WikiRefused
from sidecar.services.undo import undo
from sidecar.storage import brakes
from sidecar.storage.undoing import Undoable, undoable

from .house import DAY, HARD, T0, House, Mail

ELSEWHERE = Mail(
    HARD.raw.replace(b"remote.example", b"gmail.com"), HARD.recipient.replace("remote.example", "gmail.com")
)


async def pay(house: House) -> None:
    while await house.dispatcher.step():
        pass


async def unconfirmed(house: House, *users: int, wiki: str = "enwiki", mail: Mail = HARD) -> None:
    await house.fail_for_eight_days(*users, wiki=wiki, mail=mail)
    await pay(house)


async def candidates(house: House, since: datetime = T0, **which: str | int) -> list[Undoable]:
    return await house.database.read(lambda c: undoable(c, since, **which))  # type: ignore[arg-type]


async def undone(house: House, **which: str | int) -> int:
    """How many are owed their restoring; the wikis are called."""
    found = await candidates(house, **which)  # type: ignore[arg-type]
    owed = await house.database.write(lambda c: undo(c, found, house.clock()))
    await pay(house)
    return len(owed)


async def test_an_incident_is_taken_back_by_time_provider_wiki_or_user(house: House) -> None:
    await unconfirmed(house, 1)
    start = house.clock()
    house.clock.tick(days=1)
    await unconfirmed(house, 2, 3)
    await unconfirmed(house, 4, mail=ELSEWHERE)
    await unconfirmed(house, 5, wiki="dewiki")

    async def users(**which: str | int) -> list[int]:
        return [one.user_id for one in await candidates(house, start + DAY, **which)]

    assert [one.user_id for one in await candidates(house)] == [1, 2, 3, 4, 5]
    assert await users() == [2, 3, 4, 5]
    assert await users(provider="google") == [4]
    assert await users(wiki="dewiki") == [5]
    assert await users(wiki="enwiki", user_id=3) == [3]


async def test_restored_it_is_as_it_was_and_once(house: House) -> None:
    before = dict(house.wiki.confirmed)
    await unconfirmed(house, 1, 2)
    assert await undone(house) == 2
    assert house.wiki.confirmed == before
    assert await undone(house) == 0
    assert [one.undone for one in await candidates(house)] == [True, True]
    assert house.counted("actions_total", result="restored") == 2


async def test_what_was_forgiven_does_not_lead_to_it_again(house: House) -> None:
    await unconfirmed(house, 1)
    await undone(house)
    house.clock.tick(days=1)
    await unconfirmed(house)
    await house.bounce(user_id=1)
    await pay(house)
    assert house.wiki.confirmed[1]


async def test_only_what_we_did_can_be_taken_back(house: House) -> None:
    """Somebody else had un-confirmed the second, the third had changed, the fourth is protected."""
    house.wiki.confirmed[2] = None
    house.wiki.confirmed[3] = T0 + 6 * DAY
    house.wiki.groups[4] = {"bot"}
    house.policies["dewiki"] = Policy(Streak(), Mode.SHADOW)
    await unconfirmed(house, 1, 2, 3, 4)
    await unconfirmed(house, 5, wiki="dewiki")
    assert [one.user_id for one in await candidates(house)] == [1]


@pytest.mark.parametrize("meanwhile", ["confirmed", "changed the address"])
async def test_who_did_something_about_it_meanwhile_is_left_alone(house: House, meanwhile: str) -> None:
    await unconfirmed(house, 1)
    if meanwhile == "confirmed":
        house.wiki.confirmed[1] = house.clock()
    else:
        house.wiki.addresses[1] = "e" * 64
    after = dict(house.wiki.confirmed)
    assert await undone(house) == 1
    assert house.wiki.confirmed == after
    assert (await house.states())[-1][1:] == ("done", "changed")


async def test_not_while_something_else_is_owed_for_the_user(house: House) -> None:
    await unconfirmed(house, 1)
    house.wiki.confirmed[1] = house.clock()
    house.clock.tick(days=1)
    await house.fail_for_eight_days(1)
    assert await undone(house) == 0
    assert (
        await undone(house, wiki="enwiki", user_id=1) == 1
    )  # that has been carried out by now: the newer one is taken back


async def test_no_brake_holds_it_and_shadow_mode_does_not_either(house: House) -> None:
    await unconfirmed(house, 1)
    now = house.clock()
    await house.database.write(lambda c: brakes.trip(c, "", "", "stop", now, since=now, hold_from=None))
    house.policies["enwiki"] = Policy(Streak(), Mode.SHADOW)
    assert await undone(house) == 1
    assert house.wiki.confirmed[1]


async def test_what_the_wiki_refused_to_take_back_may_be_tried_again(house: House) -> None:
    await unconfirmed(house, 1)
    house.wiki.troubles.append(WikiRefused("not today"))
    assert await undone(house) == 1
    assert house.wiki.confirmed[1] is None
    assert await undone(house) == 1
    assert house.wiki.confirmed[1]
    assert [type(call) for call in house.wiki.calls[-2:]] == [Restore, Restore]

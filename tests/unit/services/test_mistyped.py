"""A mail that asks for a confirmation fails: the user is told at once, and nothing is counted."""

from dataclasses import replace

import pytest

from sidecar.domain.history import Standing
from sidecar.domain.person import Account
from sidecar.domain.policy import Mode, read
from sidecar.domain.wiki import Mistyped, WikiUnavailable
from sidecar.storage.actions import Kind, State
from sidecar.storage.histories import history_of

from .house import HARD, SOFT, T0, House, Mail


async def ask(house: House, mail: Mail = HARD) -> None:
    """The user asks for a confirmation, and that mail comes back."""
    house.wiki.confirmed[7], house.wiki.asked[7] = None, house.clock()
    await house.take(mail.raw, house.paths.issue("enwiki", 7, mail.recipient, confirming=True))


async def test_the_user_is_told_at_once_and_once_for_a_mail(house: House) -> None:
    path = house.paths.issue("enwiki", 7, HARD.recipient, confirming=True)
    house.wiki.confirmed[7] = None
    for raw in (HARD.raw, HARD.raw + b"again", HARD.raw):
        await house.take(raw, path)
        await house.pay()
    [action] = await house.actions()
    assert (action.kind, action.state, action.effect) == (Kind.MISTYPED, State.DONE, "warned")
    assert action.reason == ("the mail of 2026-11-20 that asked for a confirmation came back (user-unknown)")
    assert house.wiki.calls == [Mistyped("enwiki", 7, T0, action.reason)]
    assert house.wiki.told == [("mistyped", 7)]
    assert house.owed == ["ring"]


async def test_a_soft_failure_of_it_is_recorded_and_no_more(house: House) -> None:
    await ask(house, SOFT)
    assert await house.history() == [("mailbox-full", False)]
    assert await house.actions() == []


async def test_it_never_counts_and_says_why(house: House) -> None:
    for days in (0, 4, 4):
        house.clock.tick(days=days)
        await ask(house)
    assert {action.kind for action in await house.actions()} == {Kind.MISTYPED}
    policy = house.policies["enwiki"]
    history = await house.database.read(lambda c: history_of(c, Account("enwiki", 7), policy, house.clock()))
    standings = {standing for _, standing in read(history, policy, house.clock()).standings}
    assert standings == {Standing.CONFIRMING}


async def test_it_does_not_take_the_place_of_what_a_history_calls_for(house: House) -> None:
    await house.fail_for_eight_days()
    house.clock.tick(seconds=1)
    await ask(house)
    assert [action.kind for action in await house.actions(State.WAITING)] == [Kind.UNCONFIRM, Kind.MISTYPED]


async def test_each_mail_has_its_word_and_the_wiki_knows_which_was_the_last(house: House) -> None:
    house.wiki.troubles = [WikiUnavailable("down")] * 2
    for _ in range(2):
        await ask(house)
        await house.pay()
        house.clock.tick(minutes=10)
    await house.pay()
    assert [action.effect for action in await house.actions()] == ["changed", "warned"]


async def test_in_shadow_mode_it_is_a_note(house: House) -> None:
    house.policies["enwiki"] = replace(house.policies["enwiki"], mode=Mode.SHADOW)
    await ask(house)
    assert [(a.kind, a.state) for a in await house.actions()] == [(Kind.MISTYPED, State.SHADOW)]
    await house.pay()
    assert house.wiki.calls == []


@pytest.mark.parametrize("meanwhile", [False, True], ids=["before", "between"])
async def test_who_does_not_want_it_says_so(house: House, meanwhile: bool) -> None:
    silent = replace(house.policies["enwiki"], tell_mistyped=False)
    if not meanwhile:
        house.policies["enwiki"] = silent
    await ask(house)
    house.policies["enwiki"] = silent
    await house.pay()
    assert house.wiki.calls == []
    assert [action.state for action in await house.actions()] == ([State.OVERTAKEN] if meanwhile else [])

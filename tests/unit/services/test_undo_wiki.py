"""Undo, through the outbox and the real adapter, on the practice wiki."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sidecar.services.dispatch import Dispatcher
from sidecar.services.lines import Lines, Way
from sidecar.services.undo import undo
from sidecar.storage.undoing import undoable
from wiki_adapter import BotPassword, WikiAccess, open_wiki
from wiki_adapter.practice_wiki import PracticeWiki, Trouble

from .house import DAY, HARD, T0, House

pytestmark = pytest.mark.slow


@pytest.fixture
def practice(house: House) -> Iterator[PracticeWiki]:
    """A wiki with a clock of its own, which the house pays from now on."""
    house.clock.now = datetime.now(UTC).replace(microsecond=0) - 30 * DAY
    with PracticeWiki() as wiki:
        access = WikiAccess(wiki.api_url, BotPassword(wiki.account, wiki.password), "ops@example.org")
        lines = Lines({"enwiki": Way(lambda: open_wiki(access), "practice")})
        house.dispatcher.close()
        house.dispatcher = Dispatcher(house.database, lines, house.policies, house.clock, lambda: 0.0)
        yield wiki


async def pay(house: House) -> None:
    while await house.dispatcher.step():
        pass


async def test_it_is_as_it_was_except_for_who_did_something_about_it(
    house: House, practice: PracticeWiki
) -> None:
    before = house.clock() - 300 * DAY
    users = [practice.add_user(name, HARD.recipient, before) for name in ("Ann", "Bob", "Cora", "Dan")]
    _, bob, cora, _ = users
    await house.fail_for_eight_days(*users)
    await pay(house)
    assert [practice.mailbox(user).confirmed_at for user in users] == [None] * 4
    practice.confirm(bob, house.clock())
    practice.change_address(cora, "cora@new.example")
    found = await house.database.read(lambda c: undoable(c, T0 - 9999 * DAY))
    await house.database.write(lambda c: undo(c, found, house.clock()))
    with practice.suffering(Trouble.READ_ONLY):
        await pay(house)
    house.clock.tick(hours=1)
    await pay(house)
    confirmed = [practice.mailbox(user).confirmed_at for user in users]
    assert confirmed == [before, house.clock() - DAY / 24, None, before]
    assert [effect for _, _, effect in (await house.states())[4:]] == [
        "restored", "changed", "changed", "restored"
    ]  # fmt: skip
    assert [practice.told(user) for user in users] == [["unconfirm"]] * 4

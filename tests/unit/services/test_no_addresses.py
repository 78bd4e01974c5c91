"""A whole run, from the first bounce to the undoing, leaves no mail address on the disk or in the log.

Only the raw mail holds any, and it is dropped when its time has come.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar.cli.why import told
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.wiki import Wiki
from sidecar.journal import configure_logging
from sidecar.services.dispatch import Dispatcher
from sidecar.services.lines import Lines, Way
from sidecar.services.review import review
from sidecar.services.undo import undo
from sidecar.services.upkeep import Keep, Upkeep
from sidecar.storage.undoing import undoable
from tests.support.disk import addresses, on_disk
from wiki_adapter import BotPassword, WikiAccess, open_wiki
from wiki_adapter.practice_wiki import PracticeWiki, Trouble

from .house import DAY, HARD, SOFT, T0, House

DOMAIN = "bounces.example.org"
PLAIN = b"From: eve@evil.example\nSubject: call bob@example.net\n\nI am no bounce, says eve@evil.example\n"
KEEP = Keep(mail=14 * DAY, aside=20 * DAY, bounces=90 * DAY, audit=365 * DAY)


@pytest.fixture
def practice() -> Iterator[PracticeWiki]:
    with PracticeWiki() as wiki:
        yield wiki


def adapter(practice: PracticeWiki) -> Wiki:
    return open_wiki(
        WikiAccess(practice.api_url, BotPassword(practice.account, practice.password), "ops@example.org")
    )


async def pay(house: House) -> None:
    while await house.dispatcher.step():
        pass


async def a_whole_life(house: House, practice: PracticeWiki) -> int:
    """Warned, un-confirmed, confirmed again by an operator; and mail of all kinds on the way."""
    house.clock.now = datetime.now(UTC) - 100 * DAY  # the practice wiki has a clock of its own
    house.policies["enwiki"] = Policy(Streak(), Mode.ENFORCE, warn=True)
    user = practice.add_user("Ann", HARD.recipient, confirmed_at=house.clock() - 300 * DAY)
    for _ in range(3):
        await house.bounce(SOFT, user + 1)
        await house.bounce(HARD, user)
        house.clock.tick(days=4)
    await house.take(PLAIN, house.path(user))
    await house.take(HARD.raw, "bob@example.com")
    await house.take(HARD.raw, house.signer("frwiki").issue("frwiki", 7, HARD.recipient, house.clock()))
    with practice.suffering(Trouble.READ_ONLY):
        await pay(house)
    house.clock.tick(hours=1)
    await pay(house)
    house.clock.tick(days=4)
    await house.bounce(HARD, user)
    await pay(house)
    assert practice.mailbox(user).confirmed_at is None
    found = await house.database.read(lambda c: undoable(c, T0 - 9999 * DAY))
    await house.database.write(lambda c: undo(c, found, house.clock()))
    await pay(house)
    return user


async def test_only_the_raw_mail_holds_addresses_and_it_is_dropped(
    house: House, practice: PracticeWiki, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", "json")
    lines = Lines({"enwiki": Way(lambda: adapter(practice), "practice")})
    house.dispatcher.close()
    house.dispatcher = Dispatcher(house.database, lines, house.policies, house.clock, lambda: 0.0)
    user = await a_whole_life(house, practice)
    assert practice.told(user) == ["warn", "unconfirm"]
    assert practice.mailbox(user).confirmed_at == house_start(practice, user)
    policies, now = house.policies, house.clock()
    story = await house.database.read(lambda c: review(c, "enwiki", user, policies, now))
    assert story
    assert "restored" in told(story)
    logged = capsys.readouterr().err
    assert logged.count('"message":"notice"') == 7
    assert addresses(told(story).encode(), DOMAIN) == addresses(logged.encode(), DOMAIN) == set()
    assert addresses(on_disk(tmp_path, unpacked=False), DOMAIN) == set()
    assert HARD.recipient.encode() in addresses(on_disk(tmp_path), DOMAIN)
    house.clock.tick(days=21)
    await Upkeep(house.database, KEEP, house.clock).round()
    assert addresses(on_disk(tmp_path), DOMAIN) == set()


def house_start(practice: PracticeWiki, user: int) -> datetime:
    """When the user had confirmed, as the wiki's own log told it when it was taken away."""
    entry = practice.last_entry(user, "restore")
    assert entry
    return datetime.fromisoformat(entry.about[0])

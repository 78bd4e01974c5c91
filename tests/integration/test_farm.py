"""A farm of a thousand wikis, one that hangs and fifty that refuse the login: the daemon, real HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar import daemon
from sidecar.configuration.configured import Config, WikiConfig
from sidecar.domain.wiki import Wiki
from sidecar.edges.rule_files import built_in
from sidecar.recorded import recorded
from sidecar.services.circuit import OPINIONS
from sidecar.services.intake import BounceIntake
from sidecar.services.places import ASIDE, CALLS
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage.database import Database
from tests.support.daemon_here import serving, until
from tests.support.practice import ADDRESS, ENTRY, HEAD, keep_secrets, load
from wiki_adapter import WikiAccess, open_wiki
from wiki_adapter.practice_farm import PracticeFarm
from wiki_adapter.practice_troubles import Trouble

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = [f"w{number}wiki" for number in range(1000)]
HANGING, REFUSING = NAMES[500], NAMES[100:150]
WELL = [name for name in NAMES if name != HANGING and name not in REFUSING]
FOR_EVER = (
    300.0  # seconds for an answer: longer than the test, so that the call that hangs does not end in it
)

#: No brake trips, and one failure is enough.
BRAKE = "\n".join(
    f"{name} = 10000"
    for name in ("users_per_hour", "users_per_hour_in_all", "actions_per_hour", "actions_per_day")
)
RULE = "hard_bounces = 1\nspan_days = 1\n"


@pytest.fixture
def farm() -> Iterator[PracticeFarm]:
    with PracticeFarm(NAMES) as farm:
        yield farm


@pytest.fixture
def config(farm: PracticeFarm, tmp_path: Path) -> Config:
    keep_secrets(tmp_path, wrong="w" * 32)
    text = HEAD.format(folder=tmp_path, mode="enforce").replace("[brake]", f"[brake]\n{BRAKE}") + RULE
    for name in NAMES:
        secret = "wrong.password" if name in REFUSING else "bot.password"
        text += ENTRY.format(wiki=name, api=farm.api_url(name), password_file=secret)
    (tmp_path / "config.toml").write_text(text)
    return load(tmp_path)


async def fail_once_everywhere(config: Config, farm: PracticeFarm) -> dict[str, int]:
    """On each wiki a user's mail comes back, which is enough here; returns the users."""
    database = Database(config.storage_url)
    await database.open()
    paths = ReturnPaths(config.verp, lambda: NOW)
    intake = BounceIntake(database, paths, built_in(), config.policies, lambda: NOW, limits=config.brake)
    bounce, users, sent = recorded("postfix/01-no-such-user"), dict[str, int](), NOW - timedelta(days=2)

    async def fail(name: str) -> None:
        users[name] = farm.site(name).add_user("Ann", ADDRESS, NOW - timedelta(days=99))
        path = config.verp.issue(name, users[name], ADDRESS, sent)
        assert await intake.take(Received(path, "", bounce.addressed(ADDRESS, path))) is Receipt.TAKEN

    await asyncio.gather(*map(fail, NAMES))
    intake.close()
    await database.close()
    return users


def open_patiently(wiki: WikiConfig) -> Wiki:
    """With all the patience in the world for an answer."""
    patience = {"read_timeout": FOR_EVER, "answer_timeout": FOR_EVER}
    return open_wiki(WikiAccess(wiki.api, wiki.credentials, "", **patience))


async def test_of_a_thousand_wikis_one_hangs_and_fifty_refuse_the_login_and_the_others_are_paid(
    config: Config, farm: PracticeFarm
) -> None:
    users = await fail_once_everywhere(config, farm)
    unpaid, hanging = [(farm.site(name), users[name]) for name in WELL], farm.site(HANGING)

    def all_paid() -> bool:
        while unpaid and unpaid[-1][0].mailbox(unpaid[-1][1]).confirmed_at is None:
            unpaid.pop()
        return not unpaid

    with hanging.suffering(Trouble.HANGING):
        async with serving(config, daemon.World(open_wiki=open_patiently)):
            await until(lambda: hanging.hanging and all_paid(), 300)
            assert hanging.hanging == 1, "its one call has not ended"
            accepted, refused = zip(*(farm.site(name).logins for name in NAMES), strict=True)
            assert sum(refused) == OPINIONS, "no storm of logins"
            assert sum(accepted) == len(WELL), "each logs in once"
            ours = [thread for thread in threading.enumerate() if thread.name.startswith("wiki")]
            assert len(ours) <= CALLS + ASIDE + 1
            hanging.close()
    assert hanging.mailbox(users[HANGING]).confirmed_at is None

"""A daemon with hostile wikis and one that is well: it pays that one, stays small, and tells nothing."""

import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar import daemon
from sidecar.configuration.configured import Config
from sidecar.edges.rule_files import built_in
from sidecar.recorded import recorded
from sidecar.services.intake import BounceIntake
from sidecar.services.receipt import Receipt, Received
from sidecar.services.return_path import ReturnPaths
from sidecar.storage.database import Database
from tests.attack.wiki.hostile import Hostile, Octets
from tests.attack.wiki.wire import ATTACKS
from tests.support.daemon_here import said, serving, until
from tests.support.practice import ADDRESS, ENTRY, HEAD, PASSWORD, keep_secrets, load
from wiki_adapter.practice_farm import PracticeFarm

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC).replace(microsecond=0)
WELL = "wellwiki"
MOST_MEMORY = 150 << 20  # octets at once, that the attackers' own servers here take included
RULE = "hard_bounces = 1\nspan_days = 1\n"
EVIL: dict[str, tuple[str, str]] = {
    "w0wiki": ("login token", "endless body"),
    "w1wiki": ("login", "endless chunks"),
    "w2wiki": ("login", "redirect 307 ELSEWHERE/w/api.php"),
    "w3wiki": ("csrf token", "bomb gzip"),
    "w4wiki": ("emailbounce", "secrets in a header"),
    "w5wiki": ("emailbounce", "deep"),
    "w6wiki": ("emailbounce", "huge numbers in it"),
    "w7wiki": ("emailbounce", "many cookies"),
}


def told_to(name: str, elsewhere: Hostile) -> Octets:
    """The attack, aimed at another server, and with our own password in it."""
    attack = ATTACKS[name]

    def octets() -> Iterator[bytes]:
        for piece in attack():
            yield piece.replace(b"ELSEWHERE", elsewhere.origin.encode())

    return octets


@pytest.fixture
def elsewhere() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def farm() -> Iterator[PracticeFarm]:
    with PracticeFarm([WELL]) as farm:
        yield farm


@pytest.fixture
def config(farm: PracticeFarm, elsewhere: Hostile, tmp_path: Path) -> Iterator[Config]:
    keep_secrets(tmp_path)
    text = HEAD.format(folder=tmp_path, mode="enforce") + RULE
    with ExitStack() as servers:
        for name, (at, attack) in EVIL.items():
            wiki = Hostile(at, told_to(attack, elsewhere))
            servers.callback(wiki.close)
            text += ENTRY.format(wiki=name, api=f"{wiki.origin}/w/api.php", password_file="bot.password")
        text += ENTRY.format(wiki=WELL, api=farm.api_url(WELL), password_file="bot.password")
        (tmp_path / "config.toml").write_text(text)
        yield load(tmp_path)


async def fail_once(config: Config, farm: PracticeFarm) -> int:
    """At each wiki a user's mail has come back; returns who it was at the one that is well."""
    database = Database(config.storage_url)
    await database.upgrade()
    paths = ReturnPaths(config.verp, lambda: NOW)
    intake = BounceIntake(database, paths, built_in(), config.policies, lambda: NOW, limits=config.brake)
    user = farm.site(WELL).add_user("Ann", ADDRESS, NOW - timedelta(days=99))
    for wiki in (*EVIL, WELL):
        path = config.verp.issue(wiki, user, ADDRESS, NOW - timedelta(days=2))
        mail = recorded("postfix/01-no-such-user").addressed(ADDRESS, path)
        assert await intake.take(Received(path, "", mail)) is Receipt.TAKEN
    intake.close()
    await database.close()
    return user


async def test_the_others_are_paid_and_nothing_is_told(
    config: Config, farm: PracticeFarm, elsewhere: Hostile
) -> None:
    user = await fail_once(config, farm)
    tracemalloc.start()
    try:
        async with serving(config, daemon.World()) as lines:
            await until(lambda: farm.site(WELL).mailbox(user).confirmed_at is None)
            await until(lambda: {line.get("wiki") for line in _told(lines)} >= set(EVIL), 60)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY
    assert elsewhere.asked == []
    assert PASSWORD not in str(lines)
    assert [line for line in lines if line["event"] == "dispatch failed"] == []


def _told(lines: list) -> list:
    """What is said of a wiki that did not do what it was asked."""
    return said(lines, "wiki misconfigured") + [
        line for line in said(lines, "action") if line["what"] != "done"
    ]

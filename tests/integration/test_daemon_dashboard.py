"""The daemon with its dashboard open: what is configured is what is shown, and a reload shows at once."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from sidecar import daemon
from sidecar.configuration.configured import Config
from tests.support.daemon_here import said, serving, until
from tests.support.dashboard import BEARER, TOKEN
from tests.support.places import free_port
from tests.support.practice import configured, load

MORE = """
[dashboard]
listen = "127.0.0.1:{port}"
token_file = "dashboard.token"
"""
ANOTHER_WIKI = """
[[wikis]]
id = "anotherwiki"
api = "https://another.example.org/w/api.php"
account = "BounceBot@sidecar"
password_file = "{password}"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration with a dashboard."""
    path = configured(tmp_path)
    (tmp_path / "dashboard.token").touch(0o600)
    (tmp_path / "dashboard.token").write_text(TOKEN + "\n")
    path.write_text(path.read_text() + MORE.format(port=free_port()))
    return path


async def page(config: Config, name: str) -> str:
    assert config.listen.dashboard
    host, port = config.listen.dashboard.address
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{host}:{port}{name}", headers=BEARER) as answer,
    ):
        assert answer.status == 200
        return await answer.text()


async def test_the_overview_says_that_it_works_once_the_daemon_has_said_that_it_lives(
    path: Path, tmp_path: Path
) -> None:
    config = load(tmp_path)
    async with serving(config, daemon.World()) as lines:
        async with asyncio.timeout(20):
            while "No daemon is running" in (text := await page(config, "/")):
                await asyncio.sleep(0.05)
        assert "running</span>" in text
        assert "none yet" in text
        assert "GiB free" in text
    assert said(lines, "dashboard failed") == []


@pytest.mark.slow
async def test_a_reload_shows_its_wikis_and_a_new_token_waits_for_a_restart(
    path: Path, tmp_path: Path
) -> None:
    config = load(tmp_path)
    world = daemon.World(reread=lambda: load(tmp_path))
    async with serving(config, world) as lines:
        assert "anotherwiki" not in await page(config, "/rates")
        [password] = {one.name for one in tmp_path.glob("*.password")}
        path.write_text(path.read_text() + ANOTHER_WIKI.format(password=password))
        (tmp_path / "dashboard.token").write_text("another-token-of-some-length-98765\n")
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: said(lines, "reloaded"))
        assert "anotherwiki" in await page(config, "/rates")
        [waiting] = said(lines, "restart needed")
        assert waiting["settings"] == "[dashboard]"

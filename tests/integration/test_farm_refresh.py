"""The daemon and a farm's sitematrix: it waits for nobody, and takes over what it finds while it runs."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar import daemon
from sidecar.edges import census_file
from sidecar.edges.socketmap import netstring
from sidecar.host import load_config
from tests.support.daemon_here import Lines, said, serving, until
from tests.support.practice import HEAD, keep_secrets
from wiki_adapter.practice_farm import PracticeFarm
from wiki_adapter.practice_http import page

LONG = "longwiki" * 7  # too long an id to be signed
FARM = """
[farm]
sitematrix = "{matrix}"
account = "BounceBot@sidecar"
password_file = "bot.password"
cache = "{folder}/sitematrix.json"
"""


@pytest.fixture
def farm() -> Iterator[PracticeFarm]:
    with PracticeFarm(["aawiki", "bbwiki"]) as farm:
        yield farm


@pytest.fixture
def path(farm: PracticeFarm, tmp_path: Path) -> Path:
    keep_secrets(tmp_path)
    path = tmp_path / "config.toml"
    head = HEAD.format(folder=tmp_path, mode="enforce")
    path.write_text(head + FARM.format(folder=tmp_path, matrix=farm.matrix_url))
    return path


def farming(path: Path) -> contextlib.AbstractAsyncContextManager[Lines]:
    """The daemon, which reads its configuration again when it is told to."""
    return serving(load_config(path), daemon.World(reread=lambda: load_config(path)))


async def signed(path: Path, wiki: str) -> str:
    """What the socket of the wikis says to one of them."""
    reader, writer = await asyncio.open_unix_connection(str(path.parent / "verp.sock"))
    writer.write(netstring(f"verp {wiki} 7 ann@remote.example"))
    length = await reader.readuntil(b":")
    answer = await reader.readexactly(int(length[:-1]) + 1)
    writer.close()
    return answer[:-1].decode()


@pytest.mark.slow
async def test_it_serves_while_the_sitematrix_hangs_and_knows_the_wikis_when_it_answers(
    path: Path, farm: PracticeFarm
) -> None:
    farm.matrix_gate.clear()
    async with farming(path) as lines:
        await until(lambda: farm.matrix_asked)
        assert (await signed(path, "aawiki")).startswith("PERM")
        farm.matrix_gate.set()
        await until(lambda: said(lines, "reloaded"))
        assert (await signed(path, "aawiki")).startswith("OK wiki-aawiki-7-")
    assert said(lines, "serving")[0]["wikis"] == 0
    assert said(lines, "reloaded")[0]["added"] == 2


@pytest.mark.slow
async def test_it_starts_from_what_it_remembers_when_the_sitematrix_is_away(
    path: Path, farm: PracticeFarm
) -> None:
    async with farming(path) as lines:
        await until(lambda: said(lines, "reloaded"))
    cache = path.parent / "sitematrix.json"
    census = census_file.load(cache)
    assert census
    census_file.store(cache, replace(census, fetched=census.fetched - timedelta(days=1)))
    farm.matrix_says = page(503, "Service Unavailable")
    async with farming(path) as lines:
        assert (await signed(path, "bbwiki")).startswith("OK ")
        await until(lambda: said(lines, "sitematrix not used"))
        assert (await signed(path, "bbwiki")).startswith("OK ")
    assert said(lines, "serving")[0]["wikis"] == 2
    assert said(lines, "sitematrix not used")[0]["why"] == f"{farm.matrix_url}: 127.0.0.1: status 503"


@pytest.mark.slow
async def test_what_a_wiki_of_the_farm_is_asked_and_what_is_left_out_is_told(
    path: Path, farm: PracticeFarm
) -> None:
    farm.names += ["no wiki", LONG]
    async with farming(path) as lines:
        await until(lambda: said(lines, "reloaded"))
        assert (await signed(path, LONG)).startswith("PERM")
    [told] = said(lines, "wikis left out")
    assert (told["number"], "no wiki: id: no wiki id" in told["why"]) == (2, True)


@pytest.mark.slow
async def test_a_configuration_that_is_broken_meanwhile_changes_nothing_and_is_told(
    path: Path, farm: PracticeFarm
) -> None:
    farm.matrix_gate.clear()
    async with farming(path) as lines:
        await until(lambda: farm.matrix_asked)
        text = path.read_text()
        path.write_text(text.replace("[verp]", "[vrep]"))
        farm.matrix_gate.set()
        await until(lambda: said(lines, "reload refused"))
        assert (await signed(path, "aawiki")).startswith("PERM")
        path.write_text(text)
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: said(lines, "reloaded"))
        assert (await signed(path, "aawiki")).startswith("OK ")

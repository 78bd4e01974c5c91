"""A node without any database issues return paths, and tells one that has one: two daemons, real sockets."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sidecar import daemon, host
from sidecar.configuration.configured import Config
from sidecar.services import notes
from sidecar.storage import sends
from sidecar.storage.database import Database
from sidecar.telemetry import Metrics
from tests.support.desk import arrive
from tests.support.leaks import secret
from tests.support.practice import ADDRESS, KEY, WIKI, bounce, configured, load
from tests.support.waiting import until

PATIENCE = 60.0  # seconds; what could not be told is told again after ten
TOKEN = secret("a-token-of-some-length-0123456789")
ISSUING = """
[node]
roles = ["issue"]
{notes}
[verp]
domain = "bounces.example.org"
[sockets]
directory = "{folder}"
verp_processes = {processes}
[[wikis]]
id = "enwiki"
"""
NOTES = 'notes_to = "http://127.0.0.1:{port}"\nnotes_token_file = "token"'


def secret(folder: Path, name: str, content: str) -> None:
    (folder / name).touch(0o600)
    (folder / name).write_text(content)


def issuing(folder: Path, notes_to: str = "", processes: int = 0) -> Config:
    folder.mkdir()
    secret(folder, "verp.keys", KEY)
    secret(folder, "token", TOKEN)
    (folder / "config.toml").write_text(ISSUING.format(folder=folder, notes=notes_to, processes=processes))
    return load(folder)


@contextlib.asynccontextmanager
async def served(config: Config) -> AsyncIterator[None]:
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(daemon.run(config, stop=stop, ready=ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield
    finally:
        stop.set()
        await task


async def asked(config: Config, question: str) -> str:
    reader, writer = await asyncio.open_unix_connection(config.listen.verp)
    writer.write(f"{len(question)}:{question},".encode())
    length = await reader.readuntil(b":")
    answer = await reader.readexactly(int(length[:-1]) + 1)
    writer.close()
    return answer.decode().rstrip(",")


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextlib.asynccontextmanager
async def history(config: Config) -> AsyncIterator[Callable[[int], Awaitable[int]]]:
    """How many mails to a user are noted."""
    database, later = Database(config.storage_url), host.now() + timedelta(days=1)

    async def noted(user_id: int) -> int:
        return len(await database.read(lambda c: sends.newest(c, WIKI, user_id, None, later)))

    yield noted
    await database.close()


@pytest.mark.slow
@pytest.mark.parametrize("processes", [0, 2])
async def test_mails_that_a_web_host_signs_for_watched_users_are_known_to_arrive(
    tmp_path: Path, port: int, processes: int
) -> None:
    taking = tmp_path / "taking"
    taking.mkdir()
    path = configured(taking)
    secret(taking, "token", TOKEN)
    path.write_text(path.read_text() + f'[http]\nlisten = "127.0.0.1:{port}"\ntoken_file = "token"\n')
    mailhost = load(taking)
    before = host.now() - timedelta(hours=2)  # of the same second, it would be the same mail
    report = bounce(mailhost, "postfix/01-no-such-user", 7, before, before)
    await asyncio.to_thread(arrive, taking, report, before)
    webhost = issuing(tmp_path / "issuing", NOTES.format(port=port), processes)
    async with served(mailhost), served(webhost):
        for user_id in (7, 8):
            assert (await asked(webhost, f"verp {WIKI} {user_id} {ADDRESS}")).startswith("OK wiki-enwiki-")
        async with asyncio.timeout(PATIENCE), history(mailhost) as noted:
            while not await noted(7):
                await asyncio.sleep(0.05)
            assert (await noted(7), await noted(8)) == (1, 0), "nobody watches the second"


@pytest.mark.slow
async def test_while_nobody_is_there_to_be_told_mail_leaves_and_what_is_lost_is_counted(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhost = issuing(tmp_path / "issuing", NOTES.format(port=port))
    monkeypatch.setattr(notes, "ROOM", 3)
    with capture_logs() as logs:
        async with served(webhost):
            for _ in range(5):
                assert (await asked(webhost, f"verp {WIKI} 7 {ADDRESS}")).startswith("OK ")
            async with asyncio.timeout(PATIENCE):
                while not any(line["event"] == "notes not told" for line in logs):
                    await asyncio.sleep(0.05)
    [line] = [one for one in logs if (one["event"], one["log_level"]) == ("notes not told", "error")]
    assert (line["error"], line["why"]) == ("CannotTell", "ClientConnectorError")


async def test_who_is_told_nothing_says_so_at_the_start_and_has_no_database(tmp_path: Path) -> None:
    webhost = issuing(tmp_path / "issuing")
    with capture_logs() as logs:
        async with served(webhost):
            assert (await asked(webhost, f"verp {WIKI} 7 {ADDRESS}")).startswith("OK ")
            assert not webhost.listen.lmtp.exists()
    assert "proofs of arrival are missing" in [line["event"] for line in logs]
    assert [path.name for path in webhost.listen.verp.parent.iterdir() if path.suffix == ".db"] == []


@pytest.mark.slow
def test_it_takes_over_what_is_logged_at_a_reload(tmp_path: Path) -> None:
    listen, file = issuing(tmp_path / "n").listen, tmp_path / "n" / "config.toml"
    quiet, log = file.read_text() + '[log]\nformat = "keyvalue"\nlevel = "error"\n', tmp_path / "log"
    file.write_text(quiet)
    with log.open("wb") as stream:
        command = [Path(sys.executable).with_name("bounce-sidecar"), "--config", file, "run"]
        node = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stream)
    try:
        until(listen.verp.exists, "its door")
        file.write_text(quiet.replace('"error"', '"info"'))

        def loud() -> bool:
            node.send_signal(signal.SIGHUP)
            return "event='reloaded'" in log.read_text()

        until(loud, "a line of the level that is wanted now")
    finally:
        node.terminate()
        assert node.wait(30) == 0


def test_what_is_lost_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "ROOM", 3)
    metrics, verp = Metrics(), issuing(tmp_path / "issuing").verp
    signed = notes.Signed(metrics)
    for user_id in range(5):
        signed.signed(WIKI, user_id, verp, "wiki-x", host.now())
    assert len(signed.signings) == 3
    assert metrics.registry.get_sample_value("bounce_sidecar_sends_total", {"result": "lost"}) == 2

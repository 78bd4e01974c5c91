"""Processes that sign for the daemon: they do what it would; nothing is lost when one of them ends, or it."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sidecar import host
from sidecar.domain.keyring import Key
from sidecar.domain.verp import Keyring, SidecarFormat, Token, Verp
from sidecar.edges import replies
from sidecar.edges.socketmap import netstring
from sidecar.edges.unix_socket import UnixSocket
from sidecar.edges.verp_socket import Lookups
from sidecar.services.notes import Signed
from sidecar.services.refusals import TOLD, Refusals
from sidecar.services.return_path import ReturnPaths
from sidecar.services.watched import Watched
from sidecar.signing.signers import Signers
from sidecar.telemetry import Metrics
from tests.support.asking import ASK, asking, last_answer
from tests.support.broken_format import Broken
from tests.support.leaks import secret
from tests.support.practice import ADDRESS, WIKI
from tests.support.sidecar import is_served
from tests.support.waiting import until

PATIENCE = 60.0  # seconds; each starts a Python of its own
OLD, NEW = secret("the old key of this test, long enough"), secret("the new key of this test, long enough")
MANY = 24  # connections, so that each process has some


def signing(*keys: str) -> Verp:
    ring = Keyring(tuple(Key(key.encode()) for key in keys))
    return Verp((SidecarFormat("wiki", "b.example", ring),), [WIKI], accept=timedelta(days=10))


@dataclass
class House:
    """What a daemon has of it."""

    metrics: Metrics
    paths: ReturnPaths
    signers: Signers
    socket: Path

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"bounce_sidecar_{name}", labels) or 0

    async def ask(self, *questions: str) -> list[str]:
        """On one connection."""
        reader, writer = await asyncio.open_unix_connection(self.socket)
        try:
            return [await answer(reader, writer, question) for question in questions]
        finally:
            writer.close()

    def signed_by(self, answer: str) -> str:
        """The id of the key."""
        token = self.paths.recognise(answer.removeprefix("OK "))
        assert (token.wiki, token.user_id) == (WIKI, 7)
        return token.key_id

    async def eventually(self, look: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not look():
                await asyncio.sleep(0.01)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: str) -> str:
    async with asyncio.timeout(PATIENCE):
        writer.write(netstring(question))
        length = await reader.readuntil(b":")
        return (await reader.readexactly(int(length[:-1]) + 1)).decode().rstrip(",")


def processes() -> list[int]:
    """Those that sign for this one."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"sidecar.signing" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture(params=[Watched])
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with housed(tmp_path, request.param) as house:
        yield house


@asynccontextmanager
async def housed(folder: Path, watched: type[Watched]) -> AsyncIterator[House]:
    metrics, path = Metrics(), folder / "verp.sock"
    paths = ReturnPaths(signing(OLD), host.now, metrics, Refusals(metrics), watched(metrics))
    signers = Signers(2, paths, metrics)
    await signers.serve(UnixSocket.open(path))
    yield House(metrics, paths, signers, path)
    await signers.close()
    assert processes() == []
    assert not path.exists()


@pytest.mark.slow
async def test_they_answer_as_the_daemon_would(house: House) -> None:
    path = house.paths.issue(WIKI, 7, ADDRESS)
    asked = [f"bounce {path}", "verp unknown 1 a@b", "verp enwiki x a@b", "confirm", "bounce a@c", "what"]
    here = Lookups(house.paths)
    for _ in range(MANY // 2):
        assert await house.ask(*asked) == [here(*question.partition(" ")[::2]) for question in asked]
    [verp, confirm] = await house.ask(ASK, ASK.replace("verp", "confirm"))
    tokens = [house.paths.verify(one.removeprefix("OK ")) for one in (verp, confirm)]
    assert [token.confirming for token in tokens if isinstance(token, Token)] == [False, True]


@pytest.mark.slow
async def test_what_they_count_is_among_what_the_daemon_counts(house: House) -> None:
    reader, writer = await asyncio.open_unix_connection(house.socket)
    for question in (ASK, ASK, "verp unknown 1 a@b"):
        await answer(reader, writer, question)
    await house.eventually(lambda: house.counted("return_paths_total", result="refused"))
    assert house.counted("return_paths_total", result="issued") == 2
    assert house.counted("answer_seconds_count", door="verp") == 3
    assert 0 < house.counted("answer_seconds_sum", door="verp") < PATIENCE
    assert house.counted("connections", door="verp") == 1
    writer.close()
    await house.eventually(lambda: not house.counted("connections", door="verp"))
    assert house.counted("return_paths_total", result="issued") == 2
    assert house.paths.watched.numbers == {(WIKI, host.now().date()): 2}
    assert house.paths.watched.last


@pytest.mark.slow
async def test_what_they_refuse_is_told_by_the_daemon_for_all_of_them_together(house: House) -> None:
    number = TOLD + 5
    local, _, domain = house.paths.issue(WIKI, 7, ADDRESS).partition("@")
    forged = f"bounce {local[:-1]}{'b' if local.endswith('a') else 'a'}@{domain}"
    with capture_logs() as logs:
        for _ in range(number):
            [said] = await house.ask(forged)
            assert said.startswith("NOTFOUND 5.7.1")
        await house.eventually(lambda: house.counted("refused_total", receipt="forged") == number)
        assert len([line for line in logs if line["event"] == "refused"]) == TOLD
        house.paths.refusals.sum_up()
    assert [line["number"] for line in logs if line["event"] == "refused more"] == [5]


@pytest.mark.slow
async def test_mails_of_watched_users_are_noted(house: House) -> None:
    watched = house.paths.watched
    watched.watch(WIKI, 7)
    watched.watch(WIKI, 8)
    watched.watch(WIKI, 8, watched=False)
    await asyncio.sleep(0)
    answers = []
    for _ in range(MANY):
        answers += await house.ask(ASK, ASK.replace("7", "8"))
    await house.eventually(lambda: sum(watched.numbers.values()) == 2 * MANY)
    tokens = [house.paths.recognise(one.removeprefix("OK ")) for one in answers]
    assert {(one.user_id, one.sent, one.tag, one.key_id) for one in watched.told} == {
        (one.user_id, one.sent, one.tag, one.key_id) for one in tokens if one.user_id == 7
    }
    assert len(watched.told) == MANY
    watched.watch_all({})
    await house.paths.used()
    await house.ask(ASK)
    await house.eventually(lambda: sum(watched.numbers.values()) == 2 * MANY + 1)
    assert len(watched.told) == MANY


@pytest.mark.slow
@pytest.mark.parametrize("house", [Signed], indirect=True)
async def test_where_nobody_knows_who_is_watched_every_mail_is_noted(house: House) -> None:
    await house.ask(ASK, ASK)
    await house.eventually(lambda: len(house.paths.watched.told) == 2)


@pytest.mark.slow
async def test_when_a_reload_is_done_all_of_them_sign_by_the_new_keys(house: House) -> None:
    kept = [await asyncio.open_unix_connection(house.socket) for _ in range(MANY)]
    before = {house.signed_by(await answer(*one, ASK)) for one in kept}
    house.paths.use(signing(NEW, OLD))
    await house.paths.used()
    after = {house.signed_by(await answer(*one, ASK)) for one in kept}
    assert len(before) == len(after) == 1
    assert before != after
    for _, writer in kept:
        writer.close()


@pytest.mark.slow
async def test_who_does_not_hear_of_new_keys_is_replaced(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.signing.signers.USE", 0.5)
    [hanging, _] = processes()
    os.kill(hanging, signal.SIGSTOP)
    house.paths.use(signing(NEW, OLD))
    await house.paths.used()
    await house.eventually(lambda: len(processes()) == 2)
    assert hanging not in processes()
    [new] = {house.signed_by(said) for _ in range(MANY) for said in await house.ask(ASK)}
    assert new == Key(NEW.encode()).id


@pytest.mark.slow
async def test_one_that_hangs_is_replaced_though_nobody_tells_it_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.signing.signers.SILENT", 2.0)
    async with asyncio.timeout(PATIENCE), housed(tmp_path, Watched) as house:
        [hanging, other] = processes()
        with capture_logs() as logs:
            os.kill(hanging, signal.SIGSTOP)
            await house.eventually(lambda: house.counted("signing_processes_lost_total"))
        assert [
            (line["pid"], line["hung"]) for line in logs if line["event"] == "a signing process ended"
        ] == [(hanging, True)]
        await house.eventually(lambda: len(processes()) == 2)
        assert other in processes()
        [said] = await house.ask(ASK)
        assert said.startswith("OK ")


@pytest.mark.slow
async def test_another_takes_the_place_of_one_that_was_killed_and_signs_as_is_wanted_now(
    house: House,
) -> None:
    house.paths.use(signing(NEW, OLD))
    house.paths.watched.watch(WIKI, 7)
    before = processes()
    with capture_logs() as logs:
        for process in before:
            os.kill(process, signal.SIGKILL)
        await house.eventually(lambda: house.counted("signing_processes_lost_total") == 2)
        [said] = await house.ask(ASK)
    assert house.signed_by(said) == Key(NEW.encode()).id
    assert [line["code"] for line in logs if line["event"] == "a signing process ended"] == [-9, -9]
    await house.eventually(lambda: len(house.paths.watched.told) == 1)
    await house.eventually(lambda: len(processes()) == 2)
    assert not set(before) & set(processes())


@pytest.mark.slow
async def test_they_answer_while_the_daemon_is_busy_with_something_else(house: House) -> None:
    with asking(house.socket) as client:
        until(lambda: client.poll() is not None, "a hundred answers while our loop stands still", step=0)
        assert client.stdout
        assert client.stdout.read().startswith("OK ")
    await house.eventually(lambda: house.counted("return_paths_total", result="issued") == 100)


@pytest.mark.slow
async def test_when_we_close_who_has_connected_is_heard_and_the_last_is_told(house: House) -> None:
    peers = [await asyncio.open_unix_connection(house.socket) for _ in range(MANY)]
    closing = asyncio.create_task(house.signers.close())
    answers = await asyncio.gather(*(answer(*peer, ASK) for peer in peers))
    await closing
    assert len([house.signed_by(said) for said in answers]) == MANY
    assert house.counted("return_paths_total", result="issued") == MANY
    for reader, writer in peers:
        assert await reader.read() == b""
        writer.close()


@pytest.mark.slow
async def test_a_socket_that_was_passed_stays_and_who_connects_waits_for_a_successor(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(tmp_path / "verp.sock"))
        held.listen()
        signers = Signers(1, ReturnPaths(signing(OLD), host.now), Metrics())
        await signers.serve(UnixSocket.passed(held.dup()))
        assert (await asyncio.to_thread(last_answer, tmp_path / "verp.sock")).startswith("OK ")
        await signers.close()
        assert is_served(tmp_path / "verp.sock")


@pytest.mark.slow
async def test_their_mistakes_are_told_in_the_daemons_log_and_counted(house: House) -> None:
    house.paths.use(Verp((Broken("wiki", "b.example", Keyring((b"o" * 32,))),), [WIKI], accept=timedelta(1)))
    await house.paths.used()
    with capture_logs() as logs:
        assert await house.ask(ASK) == [replies.TROUBLE.socketmap]
        await house.eventually(lambda: house.counted("temporary_failures_total", door="verp", why="trouble"))
    assert [(line["event"], line["log_level"], line["error"]) for line in logs] == [
        ("lookup failed", "error", "LookupError")
    ]

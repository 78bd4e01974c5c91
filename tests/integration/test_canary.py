"""Canaries through a real SMTP server and the daemon's own door; what `status` and `canary` say of them."""

import asyncio
import json
import socket
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar import daemon, host
from sidecar.domain.remedies import Kind
from sidecar.services.vitals import Findings, HostSigns
from tests.support.daemon_here import said, serving, until
from tests.support.desk import say
from tests.support.practice import KEY, configured, load, start_once
from tests.support.smtp_relay import SmtpRelay

SECONDS = 1.2  # 0.02 minutes
MORE = """
[canary]
smtp = "127.0.0.1:{port}"
every_minutes = 0.02
patience_minutes = 0.02
[metrics]
listen = "127.0.0.1:{metrics}"
"""
BOUNCEHANDLER = """
format = "bouncehandler"
[verp.bouncehandler]
secret_file = "verp.keys"
"""
WORLD = daemon.World(host_signs=HostSigns(host.now, lambda: 2**40, lambda: True, socket.gethostname()))


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[SmtpRelay]:
    relay = SmtpRelay(tmp_path / "lmtp.sock")
    relay.start()
    yield relay
    relay.stop()


@pytest.fixture
def desk(tmp_path: Path, relay: SmtpRelay) -> Path:
    """A sidecar with canaries, often."""
    path = configured(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics = free.getsockname()[1]
    path.write_text(path.read_text() + MORE.format(port=relay.port, metrics=metrics))
    return tmp_path


async def look(desk: Path) -> Findings:
    """What `status` goes by; that sets the log up anew, which is read here."""
    config = load(desk)
    database = host.database_of(config)
    try:
        return await host.watchman(config, database).look()
    finally:
        await database.close()


async def lost(desk: Path) -> str | None:
    """What is told of the canary."""
    found = {one.kind: one.what for one in (await look(desk)).troubles}
    return found.get(Kind.CANARY_LOST)


async def become(desk: Path, wanted: bool) -> str | None:
    """Wait until it is lost, or is not."""
    async with asyncio.timeout(20):
        while bool(what := await lost(desk)) is not wanted:
            await asyncio.sleep(0.05)
    return what


def rows(desk: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(desk / "history.db", timeout=10)) as history:
        return history.execute(query).fetchall()


def metrics(desk: Path) -> str:
    listen = load(desk).listen.metrics
    assert listen
    with urllib.request.urlopen("http://{}:{}/metrics".format(*listen), timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", BOUNCEHANDLER], ids=["sidecar", "bouncehandler"])
async def test_they_come_back_and_nothing_else_is_known_of_them(desk: Path, more: str) -> None:
    path = desk / "config.toml"
    path.write_text(
        path.read_text().replace(
            '[verp]\ndomain = "bounces.example.org"', f'[verp]\ndomain = "bounces.example.org"{more}'
        )
    )
    async with serving(load(desk), WORLD) as lines:
        async with asyncio.timeout(20):
            while len([one for one in (await look(desk)).vitals.canaries if one.returned]) < 2:
                await asyncio.sleep(0.05)
        text = await asyncio.to_thread(metrics, desk)
        found = await look(desk)
    assert [one.kind for one in found.troubles] in ([], [Kind.CLOCK])
    assert (found.vitals.signed, found.vitals.noticed) == (None, None)
    assert rows(desk, "SELECT count(*) FROM notice") == rows(desk, "SELECT count(*) FROM bounce") == [(0,)]
    assert rows(desk, "SELECT count(*) FROM rate WHERE what = 'signed'") == [(0,)]
    assert 'bounce_sidecar_canary_rounds_total{result="returned"}' in text
    assert "bounce_sidecar_canary_seconds 0." in text
    assert [line["event"] for line in lines if line["log_level"] != "info"] == []
    assert said(lines, "notice") == []


@pytest.mark.slow
async def test_a_mail_server_that_delivers_nothing_is_an_alarm_until_it_does(
    desk: Path, relay: SmtpRelay
) -> None:
    async with serving(load(desk), WORLD) as lines:
        await until(lambda: relay.mailbox.mails)
        relay.holds = True
        what = await become(desk, True)
        await until(lambda: said(lines, "canary lost"))
        await asyncio.to_thread(relay.flush)
        await become(desk, False)
    assert what
    assert what.endswith("and it did not come back")


@pytest.mark.slow
async def test_what_cannot_leave_is_an_alarm_at_once(desk: Path, relay: SmtpRelay) -> None:
    relay.stop()
    async with serving(load(desk), WORLD) as lines:
        what = await become(desk, True)
        relay.start()
        await become(desk, False)
    assert what
    assert what.endswith(f"and it did not even leave: 127.0.0.1:{relay.port}: [Errno 111] Connection refused")
    assert said(lines, "canary not sent")


@pytest.mark.slow
async def test_by_hand_each_step_is_told(desk: Path, relay: SmtpRelay) -> None:
    async with serving(load(desk), WORLD):
        result = await asyncio.to_thread(say, desk, "canary")
        as_json = await asyncio.to_thread(say, desk, "canary", "--json")
    first, second = result.output.splitlines()
    assert result.exit_code == 0
    assert first.startswith(f"handed to 127.0.0.1:{relay.port} in ")
    assert " ms, for wiki-canary-0-" in first
    assert second.startswith("came back after ")
    facts = json.loads(as_json.output)
    assert facts["back"] < 20
    assert (facts["why"], facts["remedy"]) == ("", "")


@pytest.mark.slow
def test_by_hand_it_says_how_far_it_came(desk: Path, relay: SmtpRelay) -> None:
    start_once(desk)
    result = say(desk, "canary", "--wait", "0")
    assert result.exit_code == 1
    assert "it did not come back within 0 s\nDoes the daemon run?" in result.output
    [mail] = relay.queue
    relay.refuses = {}
    relay.stop()
    result = say(desk, "canary", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["why"].startswith(f"it did not leave: 127.0.0.1:{relay.port}: ")
    assert mail.sender == ""


def test_what_the_mail_server_says_at_rcpt_is_told(desk: Path, relay: SmtpRelay) -> None:
    start_once(desk)

    class Everybody(dict[str, str]):
        def __contains__(self, address: object) -> bool:
            return True

        def __missing__(self, address: str) -> str:
            return "550 5.1.1 No such user here"

    relay.refuses = Everybody()
    result = say(desk, "canary", "--smtp", f"127.0.0.1:{relay.port}")
    assert result.exit_code == 1
    assert f"127.0.0.1:{relay.port}: 550 5.1.1 No such user here\n" in result.output
    assert say(desk, "canary", "--smtp", "nowhere").exit_code == 2


def test_a_node_that_takes_no_bounces_sends_none(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    (tmp_path / "verp.keys").touch(0o600)
    (tmp_path / "verp.keys").write_text(KEY)
    path.write_text('[node]\nroles = ["issue"]\n[verp]\ndomain = "b.example"\n[canary]\nsmtp = "[::1]:25"\n')
    result = say(tmp_path, "check-config")
    assert result.exit_code == 78
    assert "[canary] smtp: [node] roles = issue: no bounces are taken here" in result.output

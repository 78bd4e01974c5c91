"""The daemon as a whole, in this process: real signals, real HTTP, a real mail server for the digest."""

import asyncio
import contextlib
import os
import signal
import smtplib
import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from sidecar import daemon
from sidecar.configuration.configured import Config
from sidecar.domain.classify import RuleError
from sidecar.edges.metrics_server import MetricsServer
from sidecar.edges.passed_sockets import PassedSockets
from sidecar.edges.unix_socket import CannotListen
from sidecar.telemetry import Metrics
from tests.support import daemon_here
from tests.support.daemon_here import Lines, until
from tests.support.desk import NEW_RULE, STRANGE, arrive
from tests.support.practice import ADDRESS, WIKI, configured, load
from tests.support.smtp_sink import SmtpSink

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

MORE = """
[metrics]
listen = "127.0.0.1:{metrics}"
[digest]
to = ["ops@example.org"]
sender = "bounces@example.org"
smtp = "127.0.0.1:{smtp}"
"""


@pytest.fixture
def config(tmp_path: Path, sink: SmtpSink) -> Config:
    path = configured(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path.write_text(path.read_text() + MORE.format(metrics=port, smtp=sink.port))
    (tmp_path / "rules.d").mkdir()
    arrive(tmp_path, STRANGE, NOW - timedelta(hours=1))
    return load(tmp_path)


def serving(
    config: Config, *passed: tuple[str, socket.socket]
) -> contextlib.AbstractAsyncContextManager[Lines]:
    """The daemon, whose clock stands still."""
    world = daemon.World(clock=lambda: NOW, sockets=PassedSockets(passed))
    return daemon_here.serving(config, world)


def scraped(config: Config) -> str:
    assert config.listen.metrics
    host, port = config.listen.metrics
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def deliver(config: Config, raw: bytes) -> None:
    path = config.verp.issue(WIKI, 7, ADDRESS, NOW)
    with smtplib.LMTP(str(config.listen.lmtp), timeout=10) as mta:
        mta.sendmail("", [path], raw)


@pytest.mark.slow
async def test_sighup_reads_the_rules_again_and_a_bad_file_changes_nothing(
    config: Config, tmp_path: Path
) -> None:
    own = tmp_path / "rules.d" / "own.toml"
    async with serving(config) as lines:
        said = partial(daemon_here.said, lines)
        own.write_text(NEW_RULE.replace("user-unknown", "no-such-category"))
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: said("reload refused"))
        await asyncio.to_thread(deliver, config, STRANGE)
        own.write_text(NEW_RULE)
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: said("reloaded"))
        await asyncio.to_thread(deliver, config, STRANGE + b"again")
        [before] = said("set aside")
        [after] = said("notice")
        text = await asyncio.to_thread(scraped, config)
    assert f"{own}: rule frobnicated: " in str(said("reload refused")[0]["why"])
    assert said("reloaded")[0]["rules"] == int(str(said("serving")[0]["rules"])) + 1
    assert (before["why"], after["rule"], after["hard"]) == ("no rule matched", "frobnicated", True)
    assert 'bounce_sidecar_reloads_total{result="refused"} 1.0' in text
    assert 'bounce_sidecar_reloads_total{result="loaded"} 1.0' in text
    assert 'bounce_sidecar_bounces_total{category="user-unknown",hard="true"} 1.0' in text


@pytest.mark.slow
async def test_metrics_are_served_while_it_runs_and_no_longer(config: Config) -> None:
    async with serving(config):
        await until(lambda: "bounce_sidecar_set_aside_waiting 1.0" in scraped(config))
        assert "# HELP bounce_sidecar_outbox_waiting Actions that are owed" in scraped(config)
    with pytest.raises(urllib.error.URLError):
        scraped(config)


@pytest.mark.slow
async def test_the_digest_is_sent_and_not_again_after_a_restart(config: Config, sink: SmtpSink) -> None:
    for _ in range(2):
        async with serving(config) as lines:
            if not sink.mailbox.mails:
                await until(lambda: [line for line in lines if line["event"] == "digest"])
            await asyncio.to_thread(deliver, config, STRANGE + os.urandom(8))
    [mail] = sink.mailbox.mails
    assert mail.recipients == ("ops@example.org",)
    assert b"no rule matched; remote.example; id 1\r\n" in mail.raw


async def test_it_does_not_start_with_rules_that_cannot_be_used(config: Config, tmp_path: Path) -> None:
    (tmp_path / "rules.d" / "own.toml").write_text("[[rule]]\n")
    with pytest.raises(RuleError, match=r"own\.toml"):
        await daemon.run(config, stop=asyncio.Event())


async def test_a_port_that_is_taken_is_named() -> None:
    first, second = MetricsServer(Metrics().registry), MetricsServer(Metrics().registry)
    port = first.listen("127.0.0.1", 0)
    with pytest.raises(CannotListen, match=f"metrics at 127.0.0.1:{port}: Address already in use"):
        second.listen("127.0.0.1", port)
    await second.close()
    await first.close()
    await first.close()

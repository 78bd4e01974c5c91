"""What each door counts: how long it took, what was answered for now, and who is connected."""

import asyncio
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sidecar.edges import replies
from sidecar.edges.lmtp_server import Limits, LmtpServer
from sidecar.edges.metrics_server import MetricsServer
from sidecar.edges.policy_service import PolicyService
from sidecar.edges.query_socket import Limits as AskedLimits
from sidecar.edges.query_socket import QuerySocket
from sidecar.edges.verp_socket import VerpSocket
from sidecar.services.receipt import Receipt
from sidecar.telemetry import Door, Metrics
from tests.integration.doors import PATIENCE, Client, ScriptedIntake, eventually
from tests.integration.http_house import PATH, HttpHouse

WHYS = ("trouble", "late", "full", "connections")


class Broken:
    """Return paths that cannot be asked, by a mistake of ours."""

    def issue(self, wiki: str, user_id: int, address: str, *, confirming: bool = False) -> str:
        raise LookupError

    def concerns(self, address: str) -> bool:
        raise LookupError

    def verify(self, address: str) -> Receipt:
        raise LookupError


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def seen(metrics: Metrics) -> Callable[..., float]:
    """A sample by its name and labels; 0 if there is none."""

    def value(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(f"bounce_sidecar_{name}", labels) or 0

    return value


async def lmtp(path: Path) -> Client:
    return Client(*await asyncio.open_unix_connection(path))


async def test_lmtp_counts_mails_by_how_long_they_took_and_recipients_that_must_come_again(
    intake: ScriptedIntake, lmtp_path: Path, metrics: Metrics, seen: Callable[..., float]
) -> None:
    intake.receipts["broken@b"] = LookupError()
    intake.open["slow@b"].clear()
    limits = Limits(patience=0.05, unfinished=2, sessions=1)
    server = LmtpServer(intake, limits=limits, door=Door(metrics, "lmtp"))
    await server.listen_unix(lmtp_path)
    client = await (await lmtp(lmtp_path)).hello()
    assert await (await lmtp(lmtp_path)).rest() == [replies.TOO_MANY_SESSIONS]
    assert seen("connections", door="lmtp") == 1
    for recipients in (("one@b",), ("two@b", "broken@b"), ("slow@b",), ("slow@b",), ("three@b",)):
        await client.hand_in(*recipients)
        await client.hear(len(recipients))
    found = {why: seen("temporary_failures_total", door="lmtp", why=why) for why in WHYS}
    assert found == {"trouble": 1, "late": 2, "full": 1, "connections": 1}
    assert seen("intake_seconds_count", door="lmtp") == 4
    assert seen("intake_seconds_sum", door="lmtp") >= 0.1, "two were late"
    intake.open["slow@b"].set()
    await client.gone()
    await eventually(lambda: seen("connections", door="lmtp") == 0, "nobody is connected")
    await server.close()


async def test_http_counts_the_same(
    serve_http: Callable[..., Awaitable[HttpHouse]], intake: ScriptedIntake
) -> None:
    house = await serve_http(patience=0.05, unfinished=1)
    intake.receipts[PATH] = LookupError()
    assert (await house.hand_in(b"mail")).status == 503
    intake.open[PATH].clear()
    assert [(await house.hand_in(b"mail")).status for _ in range(2)] == [503, 503]

    def seen(name: str, **labels: str) -> float:
        return house.metrics.registry.get_sample_value(f"bounce_sidecar_{name}", labels) or 0

    found = {why: seen("temporary_failures_total", door="http", why=why) for why in WHYS}
    assert found == {"trouble": 1, "late": 1, "full": 1, "connections": 0}
    assert seen("intake_seconds_count", door="http") == 2
    intake.open[PATH].set()


@pytest.mark.parametrize(
    ("name", "kind", "asks", "hears"),
    [
        ("verp", VerpSocket, b"23:verp enwiki 7 ann@b.org,", b"TEMP"),
        ("policy", PolicyService, b"request=smtpd_access_policy\nrecipient=x@b\n\n", b"DEFER_IF_PERMIT"),
    ],
)
async def test_a_socket_counts_answers_by_how_long_they_took(
    tmp_path: Path,
    metrics: Metrics,
    seen: Callable[..., float],
    name: str,
    kind: Callable[..., QuerySocket],
    asks: bytes,
    hears: bytes,
) -> None:
    server = kind(Broken(), limits=AskedLimits(connections=1), door=Door(metrics, name))
    await server.listen(tmp_path / "socket")
    reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
    for half in (asks[:5], asks[5:], asks):
        writer.write(half)
    async with asyncio.timeout(PATIENCE):
        assert hears in await reader.readuntil(hears)
        assert hears in await reader.readuntil(hears)
        other, _ = await asyncio.open_unix_connection(tmp_path / "socket")
        await other.read()
    assert seen("connections", door=name) == 1
    assert seen("temporary_failures_total", door=name, why="trouble") == 2
    assert seen("temporary_failures_total", door=name, why="connections") == 1
    assert 1 <= seen("answer_seconds_count", door=name) <= 2, "one for what was answered together"
    assert 0 < seen("answer_seconds_sum", door=name) < PATIENCE
    await server.close()


async def test_prometheus_is_answered_while_the_event_loop_is_busy(metrics: Metrics) -> None:
    server = MetricsServer(metrics.registry)
    port = server.listen("127.0.0.1", 0)
    Door(metrics, "lmtp").open.set_function(lambda: 3)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:  # blocks it
        text = answer.read().decode()
    await server.close()
    assert 'bounce_sidecar_connections{door="lmtp"} 3.0' in text
    assert "process_start_time_seconds" in text
    assert "python_info" not in text
    assert "_created" not in text

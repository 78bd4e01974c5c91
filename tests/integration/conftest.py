"""Fixtures of the doors: LMTP, HTTP and the dashboard with something changed, clients, the pipe's program."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop

from sidecar import deliver
from sidecar.edges.lmtp_server import Limits, LmtpServer
from tests.integration.doors import Client, ScriptedIntake, connecting
from tests.integration.http_house import NOW, HttpHouse
from tests.integration.http_talk import Talk
from tests.integration.pipe import installed
from tests.support.amazon import Amazon
from tests.support.dashboard import DashboardHouse, OpenDashboard


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The loop that the daemon has."""
    return uvloop.EventLoopPolicy()


@pytest.fixture
def intake() -> ScriptedIntake:
    return ScriptedIntake()


@pytest.fixture
def lmtp_path(tmp_path: Path) -> Path:
    return tmp_path / "lmtp.sock"


@pytest.fixture
async def serve_lmtp(
    intake: ScriptedIntake, lmtp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[LmtpServer]]]:
    """Starts a server with some limits changed."""
    servers: list[LmtpServer] = []

    async def start(**limits: float) -> LmtpServer:
        servers.append(LmtpServer(intake, limits=replace(Limits(), **limits)))
        await servers[-1].listen_unix(lmtp_path)
        return servers[-1]

    yield start
    for event in intake.open.values():
        event.set()
    for server in servers:
        await server.close(grace=0.1)


@pytest.fixture
async def connect_lmtp(lmtp_path: Path) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    with connecting(partial(asyncio.open_unix_connection, lmtp_path), Client) as connect:
        yield connect


@pytest.fixture(params=["shell", "python"])
def deliver_command(request: pytest.FixtureRequest, tmp_path: Path, lmtp_path: Path) -> list[str]:
    """Both ways of starting the pipe door: the shell may hide what Python would say."""
    direct = [sys.executable, "-IS", deliver.__file__]
    return [*(installed(tmp_path) if request.param == "shell" else direct), "--socket", str(lmtp_path)]


@pytest.fixture(scope="session")
def amazon_key() -> Amazon:
    return Amazon(NOW)


@pytest.fixture
def amazon(amazon_key: Amazon) -> Amazon:
    amazon_key.visited.clear()
    return amazon_key


@pytest.fixture
async def serve_http(
    intake: ScriptedIntake, amazon: Amazon
) -> AsyncIterator[Callable[..., Awaitable[HttpHouse]]]:
    """Opens a door with some of HttpHouse's fields changed."""
    houses: list[HttpHouse] = []

    async def start(**changes: Any) -> HttpHouse:
        houses.append(await HttpHouse(**{"intake": intake, "amazon": amazon, **changes}).open())
        return houses[-1]

    yield start
    for event in intake.open.values():
        event.set()
    for house in houses:
        await house.server.close(grace=0.1)


@pytest.fixture
async def talk_to() -> AsyncIterator[Callable[[HttpHouse], Awaitable[Talk]]]:
    """Connects to a door, as often as it is asked to."""
    with connecting(lambda house: asyncio.open_connection("127.0.0.1", house.port), Talk) as connect:
        yield connect


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[OpenDashboard]:
    """Opens a dashboard with some of the house's fields changed."""
    houses: list[DashboardHouse] = []

    async def start(**changes: Any) -> DashboardHouse:
        houses.append(await DashboardHouse(tmp_path, **changes).open())
        return houses[-1]

    yield start
    for house in houses:
        await house.close()

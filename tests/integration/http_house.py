"""What the tests of the HTTP door share: a door with a scripted intake, a client, and curl.

Knows addresses, tokens and how to ask. Does not know what is expected.
"""

import asyncio
import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from sidecar.domain.send import Send
from sidecar.edges.http_door import DoorLimits, Friends, http_door
from sidecar.edges.http_listener import HttpLimits
from sidecar.edges.http_server import HttpServer
from sidecar.telemetry import Metrics
from tests.integration.doors import PATIENCE, ScriptedIntake
from tests.support.amazon import TOPIC, Amazon
from tests.support.leaks import secret
from tests.support.places import missing

__all__ = ["BEARER", "FORM", "NOW", "PATH", "TOKEN", "HttpHouse", "Said", "curl", "ran"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOKEN = secret("a-token-of-some-length-0123456789")
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATH = "one@b"
FORM = {"action": "bouncehandler", "format": "json"}


@dataclass
class Said:
    """An answer."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class HttpHouse:
    """A door, whom it asks, and a client of it."""

    intake: ScriptedIntake
    amazon: Amazon
    size: int = 100_000
    allow: tuple[str, ...] = ("127.0.0.1/32",)
    patience: float = PATIENCE
    unfinished: int = 200
    server_limits: HttpLimits = field(default_factory=HttpLimits)
    why_not: str = ""
    token: str = TOKEN

    async def open(self) -> "HttpHouse":
        self.metrics = Metrics()
        self.noted: list[Send] = []
        fetch, note = self.amazon.fetch, self.noted.append
        friends = Friends(self.intake, self._why_not, lambda: NOW, fetch, self.metrics, note)
        limits = DoorLimits(self.size, self.unfinished, self.patience, self.server_limits)
        self.server: HttpServer = http_door(friends, self.allow, self.token, (TOPIC,), limits)
        self.port = await self.server.listen("127.0.0.1", 0)
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(self, path: str, data: Any = None, method: str = "POST", **more: Any) -> Said:
        """One request on a connection of its own; *more* is aiohttp's."""
        local = more.pop("local", "127.0.0.1")
        connector = aiohttp.TCPConnector(local_addr=(local, 0))
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(method, self.url + path, data=data, **more) as answer,
        ):
            body = await answer.read()
            return Said(answer.status, json.loads(body) if body else None, dict(answer.headers))

    async def hand_in(self, raw: bytes, recipient: str = PATH, **more: Any) -> Said:
        """A mail to /bounces with the token."""
        more.setdefault("headers", BEARER)
        return await self.ask("/bounces", raw, params={"recipient": recipient}, **more)

    async def _why_not(self) -> str:
        return self.why_not


def curl() -> str:
    return shutil.which("curl") or missing("curl")


async def ran(*command: str, stdin: bytes = b"") -> tuple[int, bytes]:
    """Exit code and output of a program."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate(stdin)
    return process.returncode or 0, output

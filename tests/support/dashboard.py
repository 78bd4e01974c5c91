"""The dashboard in this process, over a history of its own.

Knows how it is opened and asked. Does not know what is expected of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from sidecar.domain.admission import Admission
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.trouble import Tolerance
from sidecar.edges.dashboard.door import dashboard
from sidecar.edges.dashboard.server import LIMITS, DashboardServer
from sidecar.edges.http_listener import HttpLimits
from sidecar.services.showing import Showing
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.storage.database import Database
from sidecar.telemetry import Door, Metrics
from tests.support.fresh_history import fresh_unless_there

__all__ = ["BEARER", "T0", "TOKEN", "DashboardHouse", "OpenDashboard", "Said"]

TOKEN = "a-token-of-some-length-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATIENCE = aiohttp.ClientTimeout(total=10.0)
POLICY = Policy(Streak(), Mode.ENFORCE)
QUARTER = timedelta(minutes=15)
T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def cookie(self) -> str:
        """What a browser would send back."""
        return self.headers.get("Set-Cookie", "").partition(";")[0]


@dataclass
class DashboardHouse:
    """Open it, ask it, close it."""

    folder: Path
    admission: Admission = field(default_factory=lambda: Admission(TOKEN, b"k" * 32))
    limits: HttpLimits = LIMITS
    wikis: tuple[str, ...] = ("enwiki", "dewiki")
    now: datetime = T0  #: a test may move it
    canary_every: timedelta | None = QUARTER
    patience: float = 8.0  #: seconds for the database

    async def open(self) -> "DashboardHouse":
        self.database = Database(f"sqlite:///{fresh_unless_there(self.folder / 'history.db')}")
        await self.database.open()
        host = HostSigns(lambda: self.now, lambda: 50 * 2**30, lambda: True)
        policies, logins = dict.fromkeys(self.wikis, POLICY), dict.fromkeys(self.wikis, "bot")
        watchman = Watchman(self.database, host, lambda: logins, Tolerance(canary_every=self.canary_every))
        self.showing = Showing(self.database, watchman, policies, self.now, self.patience)
        self.metrics = Metrics()
        door = Door(self.metrics, "dashboard")
        self.server: DashboardServer = dashboard(self.admission, self.showing, host.clock, door, self.limits)
        self.port = await self.server.listen("127.0.0.1", 0)
        return self

    async def close(self) -> None:
        await self.server.close(grace=1.0)
        await self.database.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(self, path: str, method: str = "GET", **more: Any) -> Said:
        """One request on a connection of its own, as a script would; no redirect is followed."""
        async with (
            aiohttp.ClientSession(timeout=PATIENCE, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, self.url + path, allow_redirects=False, **more) as answer,
        ):
            return Said(answer.status, await answer.text(), answer.headers)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Said:
        """As a browser sends a form of ours, with *headers* over its own ("" leaves one out)."""
        sent = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask(path, "POST", data=form, headers={k: v for k, v in sent.items() if v})

    async def login(self) -> str:
        """The cookie."""
        return (await self.post("/login", {"token": TOKEN})).cookie


#: Opens one with some of the house's fields changed; it is closed after the test.
OpenDashboard = Callable[..., Awaitable[DashboardHouse]]

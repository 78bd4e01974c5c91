"""Fixtures: a browser, and dashboards that it can look at.

Knows who ends them. Does not know any page.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.browser import Browser, browser
from tests.support.dashboard import TOKEN, DashboardHouse
from tests.support.loop_thread import LoopThread

__all__ = ["OpenedDashboard"]

#: Opens a dashboard over a history that the function fills, and logs in; its URL.
OpenedDashboard = Callable[..., DashboardHouse]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One window for all tests; each opens its own pages in it."""
    with browser() as window:
        yield window


@pytest.fixture(scope="module")
def dashboards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenedDashboard]:
    """Open while the module's tests run; ``fill(connection, now)`` makes the history of one."""
    thread, houses = LoopThread("dashboards"), []

    def nothing(_connection: sa.Connection, _now: object) -> None: ...

    def start(fill: Callable[[sa.Connection, Any], object] = nothing, **changes: Any) -> DashboardHouse:
        folder: Path = tmp_path_factory.mktemp("dashboard")
        house = thread.call(DashboardHouse(folder, **changes).open())
        houses.append(house)
        thread.call(house.database.write(lambda connection: fill(connection, house.now)))
        return house

    yield start
    for house in houses:
        thread.call(house.close())
    thread.end()


@pytest.fixture
def logged_in(chromium: Browser) -> Callable[[DashboardHouse], Browser]:
    """The browser, at the overview, as it comes in with the token."""

    def come_in(house: DashboardHouse) -> Browser:
        chromium.driver.delete_all_cookies()
        chromium.open(f"{house.url}/login")
        chromium.evaluate("document.getElementById('token').focus()")
        chromium.enter(TOKEN)
        return chromium

    return come_in

"""The hostile history in Debian's Chromium: nothing runs, nothing is fetched, nothing is led away."""

import random
from collections.abc import Callable

import pytest

from tests.attack.web.pages import ADMISSION, hostile_history
from tests.attack.web.payloads import MARK
from tests.support.browser import Browser
from tests.support.dashboard import DashboardHouse
from tests.support.fixtures_browser import OpenedDashboard

pytestmark = pytest.mark.servers

ROWS = 6
RAN = f"[window.{MARK}, document.scripts.length, document.querySelectorAll('iframe, base, object').length]"


def test_in_a_real_browser_nothing_runs_and_nothing_is_loaded(
    dashboards: OpenedDashboard, logged_in: Callable[[DashboardHouse], Browser]
) -> None:
    def fill(connection, now) -> None:
        for number in range(ROWS):
            hostile_history(connection, random.Random(number), number)

    house = dashboards(fill, admission=ADMISSION)
    browser = logged_in(house)
    mails = [f"/aside/mail?id={2 * number + 1}" for number in range(ROWS)]
    for path in (*mails, "/", "/aside", "/outbox", "/brakes", "/wikis", "/rates", "/user?wiki=enwiki&user=7"):
        browser.open(house.url + path)
        assert browser.driver.current_url == house.url + path
        assert browser.evaluate(RAN) == [None, 0, 0], path
        assert [url for url in browser._requests() if not url.startswith(house.url)] == [], path
        assert browser.driver.get_log("browser") == [], path

"""The pages in a real browser: for everybody, light and dark, on a phone, by keyboard, with data or none."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.browser import DARK, LIGHT, NARROW, WIDE, Browser, Look
from tests.support.dashboard import TOKEN, DashboardHouse
from tests.support.fixtures_browser import OpenedDashboard
from tests.support.long_history import add_troubles, fill
from tests.support.waiting import until

pytestmark = pytest.mark.servers

LogIn = Callable[[DashboardHouse], Browser]
PAGES = (
    "/", "/rates", "/user?wiki=enwiki&user=1000", "/outbox", "/outbox?list=held", "/outbox?list=done",
    "/aside", "/aside/mail?id=2", "/brakes", "/wikis",
)  # fmt: skip


@pytest.fixture(scope="module")
def empty(dashboards: OpenedDashboard) -> DashboardHouse:
    return dashboards()


@pytest.fixture(scope="module")
def full(dashboards: OpenedDashboard) -> DashboardHouse:
    """100,000 bounces, and everything that may be wrong."""

    def history(connection, now) -> None:
        fill(connection, 100_000, now)
        add_troubles(connection, now)

    return dashboards(history)


@pytest.fixture(autouse=True)
def _as_it_was(chromium: Browser) -> Iterator[None]:
    yield
    chromium.scripts(on=True)
    chromium.look(LIGHT, WIDE)


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_a_page_is_for_everybody_whoever_looks_and_with_what(
    full: DashboardHouse, logged_in: LogIn, path: str
) -> None:
    browser = logged_in(full)
    said = browser.check(full.url + path)
    assert [one for one in said if "404 (Not Found)" not in one] == []


@pytest.mark.parametrize(("bounces", "look"), [(0, (LIGHT, NARROW)), (1, (DARK, WIDE))])
def test_a_young_history_is_shown_as_well(
    dashboards: OpenedDashboard, logged_in: LogIn, bounces: int, look: Look
) -> None:
    house = dashboards(partial(lambda number, connection, now: fill(connection, number, now), bounces))
    browser = logged_in(house)
    pages = [path for path in PAGES if "mail" not in path]  # there is none
    assert [one for path in pages for one in browser.check(house.url + path, [look])] == []


def test_the_login_page_is_for_everybody_too(empty: DashboardHouse, chromium: Browser) -> None:
    chromium.driver.delete_all_cookies()
    assert chromium.check(f"{empty.url}/login") == []


def test_what_is_wrong_is_on_top_with_what_to_do(full: DashboardHouse, logged_in: LogIn) -> None:
    text = logged_in(full).text()
    assert "Needs attention: 4" in text
    assert "Brake 1 holds 17 actions: 112 users of outlook.com failed within an hour" in text
    assert "brake release ID" in text
    assert "<b>make a new one</b>" in text  # the wiki's words are no markup


def test_login_and_logout_by_keyboard_alone_and_without_any_script(
    empty: DashboardHouse, chromium: Browser
) -> None:
    chromium.driver.delete_all_cookies()
    chromium.scripts(on=False)
    chromium.open(f"{empty.url}/rates")
    chromium.enter(Keys.TAB, Keys.TAB, Keys.TAB, "wrong")
    assert "This is not the token." in chromium.text()
    chromium.enter(Keys.TAB, Keys.TAB, Keys.TAB, TOKEN)
    assert chromium.driver.current_url == f"{empty.url}/rates"
    assert "Bounces by category" in chromium.text()
    links = len(chromium.driver.find_elements(By.CSS_SELECTOR, "nav a"))
    chromium.enter(*[Keys.TAB] * (links + 3))  # after the jump and the name of it all
    assert chromium.driver.current_url == f"{empty.url}/login"
    chromium.open(empty.url)
    assert "/login" in chromium.driver.current_url


def test_the_first_stop_of_the_keyboard_leads_to_the_content(empty: DashboardHouse, logged_in: LogIn) -> None:
    browser = logged_in(empty)
    browser.press(Keys.TAB, Keys.ENTER)
    until(lambda: browser.driver.current_url.endswith("#main"), "the jump")
    assert browser.evaluate("document.activeElement.id") == "main"


def test_the_numbers_of_a_chart_stand_beside_it(full: DashboardHouse, logged_in: LogIn) -> None:
    browser = logged_in(full)
    browser.open(f"{full.url}/rates?days=7")
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    rows = browser.evaluate("document.querySelectorAll('section:first-of-type details tbody tr').length")
    assert rows == 7
    assert browser.problems() == []


def test_every_picture_is_drawn(full: DashboardHouse, logged_in: LogIn, tmp_path: Path) -> None:
    browser = logged_in(full)
    for size in (WIDE, NARROW):
        browser.look(DARK, size)
        browser.open(f"{full.url}/rates")
        drawn = browser.evaluate("[...document.images].map(one => one.complete && one.naturalWidth > 0)")
        assert drawn == [True] * 4

"""Debian's Chromium without a window, and what a page must be in it: for everybody, on a phone, by keyboard.

Knows the browser, its debugger's protocol and axe-core, which looks for barriers. Does not know any page.
What
is asked of a page is asked through the debugger: its Content-Security-Policy stands as it is.
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.places import CACHE, missing
from tests.support.waiting import until

__all__ = ["DARK", "EVERY_LOOK", "LIGHT", "NARROW", "WIDE", "Browser", "Look", "axe_core", "browser"]

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
AXE = "axe-core@4.10.3"
PATIENCE = 120  # seconds for npm
WIDE, NARROW = (1280, 900), (320, 640)  # WCAG 2.2, 1.4.10: 320 pixels without scrolling sideways
LIGHT, DARK = "light", "dark"
Look = tuple[str, tuple[int, int]]
EVERY_LOOK: tuple[Look, ...] = ((LIGHT, WIDE), (DARK, WIDE), (LIGHT, NARROW), (DARK, NARROW))
MOST_STOPS = 300  # of the tabulator, on one page

RUN_AXE = """
axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations.flatMap(
  rule => rule.nodes.map(node => `${rule.id}: ${rule.help}: ${node.html.slice(0, 200)}`))))
"""
#: Where the keyboard is, how it shows, and whether it can be seen.
FOCUSED = """
(() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const seen = box.width > 0 && box.left >= 0;
  return {
    name: `${at.tagName.toLowerCase()} ${(at.textContent || at.name || '').trim()}`.slice(0, 80),
    body: at === document.body, index: [...document.querySelectorAll('*')].indexOf(at),
    shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && seen,
  };
})()
"""
REACHABLE = """
[...document.querySelectorAll(
  'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
  .filter(one => !one.closest('details:not([open]) > :not(summary)') && one.getClientRects().length)
  .map(one => [...document.querySelectorAll('*')].indexOf(one))
"""


class Browser:
    """One window. *axe* is the text of axe-core."""

    def __init__(self, driver: webdriver.Chrome, axe: str) -> None:
        self.driver, self._axe = driver, axe

    def open(self, url: str) -> None:
        self._forget()
        self.driver.get(url)

    def look(self, scheme: str, size: tuple[int, int]) -> None:
        """From now on, for whoever likes it light or dark, and in a window of this size."""
        width, height = size
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._cdp("Emulation.setEmulatedMedia", features=features)
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size != WIDE}
        self._cdp("Emulation.setDeviceMetricsOverride", **screen)

    def check(self, url: str, looks: Sequence[Look] = EVERY_LOOK) -> list[str]:
        """What is wrong with a page, however it is looked at, and what the keyboard does not reach."""
        found = []
        for scheme, size in looks:
            self.look(scheme, size)
            self.open(url)
            how = f"{urlsplit(url).path}, {scheme}, {size[0]} wide"
            lost = self.by_keyboard() if (scheme, size) == looks[0] else []  # no look hinders a key
            found += [f"{how}: {one}" for one in (*self.problems(), *lost)]
        return found

    def scripts(self, *, on: bool) -> None:
        self._cdp("Emulation.setScriptExecutionDisabled", value=not on)

    def evaluate(self, expression: str) -> Any:
        """What a script would get; the page's policy does not hold for the debugger."""
        said = self._cdp("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def problems(self) -> list[str]:
        """What is wrong with the page that is open: barriers, complaints, requests elsewhere, its width."""
        self.evaluate(self._axe)
        found = [f"axe: {one}" for one in json.loads(self.evaluate(RUN_AXE))]
        found += [f"console: {one['message']}" for one in self.driver.get_log("browser")]
        found += [f"request: {url}" for url in self._requests() if not self._is_here(url)]
        root = "document.scrollingElement"
        wide, room = self.evaluate(f"[{root}.scrollWidth, {root}.clientWidth]")
        return found + ([f"width: {wide} in {room}"] if wide > room else [])

    def by_keyboard(self) -> list[str]:
        """What cannot be reached with the tabulator, or does not show that it is."""
        wanted, stops = set(self.evaluate(REACHABLE)), []
        self.evaluate("document.activeElement.blur()")
        for _ in range(MOST_STOPS):
            self._tab()
            at = self.evaluate(FOCUSED)
            if at["body"] or at["index"] in {stop["index"] for stop in stops}:
                break
            stops.append(at)
        hidden = [f"focus is not seen: {stop['name']}" for stop in stops if not stop["shown"]]
        lost = wanted - {stop["index"] for stop in stops}
        return hidden + [f"not reached: {self._named(index)}" for index in sorted(lost)]

    def press(self, *keys: str) -> None:
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def enter(self, *keys: str) -> None:
        """*keys* and the key Enter, until another page is there."""
        self.evaluate("window.before = true")
        self.press(*keys, Keys.ENTER)
        until(lambda: self.evaluate("!window.before && document.readyState === 'complete'"), "another page")

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """What is seen, or the *whole* page."""
        said = self._cdp(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole, optimizeForSpeed=False
        )
        path.write_bytes(base64.b64decode(said["data"]))

    def _tab(self) -> None:
        """Quicker than ``press``: on a long page there are many stops."""
        key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        self._cdp("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self._cdp("Input.dispatchKeyEvent", type="keyUp", **key)

    def _named(self, index: int) -> str:
        return str(self.evaluate(f"document.querySelectorAll('*')[{index}].outerHTML.slice(0, 100)"))

    def _forget(self) -> None:
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def _requests(self) -> Iterator[str]:
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                yield message["params"]["request"]["url"]

    def _is_here(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.driver.current_url)[:2]

    def _cdp(self, method: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(method, parameters)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser of its own, or the loud skip that says what is missing."""
    for program in (CHROMIUM, DRIVER):
        if not shutil.which(program):
            missing(f"{program}: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"):
        options.add_argument(word)
    if os.getuid() == 0:
        options.add_argument("--no-sandbox")  # it refuses to be root with one
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        yield Browser(driver, axe_core())
    finally:
        driver.quit()


def axe_core() -> str:
    """The text of axe-core: fetched by npm, once."""
    folder = CACHE / "axe-core"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{AXE.replace('@', '-')}.tgz"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.is_file():
            _fetch(folder)
    with tarfile.open(archive) as tar:
        script = tar.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm") or missing("npm: apt-get install npm")
    try:
        subprocess.run([npm, "pack", AXE], cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    except subprocess.SubprocessError as trouble:
        words = getattr(trouble, "stderr", b"") or b""
        missing(f"{AXE}, which npm could not fetch: {words.decode(errors='replace')[-200:]}")

"""Debian's Prometheus, and promtool, from a private folder.

Knows how they are started and asked. Does not know what is measured.
"""

import json
import subprocess
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.debs import unpacked
from tests.support.places import free_port
from tests.support.process_group import ProcessGroup
from tests.support.waiting import PATIENCE, until

__all__ = ["Prometheus", "install", "promtool"]

CONFIG = """\
global:
  scrape_interval: 200ms
  scrape_timeout: 200ms
  evaluation_interval: 200ms
rule_files: ["{rules}"]
scrape_configs:
  - job_name: bounce-sidecar
    static_configs:
      - targets: ["{target}"]
"""


def install() -> Path:
    """The folder with its programs. Raises DownloadFailed."""
    return unpacked("prometheus", ["prometheus"]) / "usr/bin"


def promtool(programs: Path, *words: str) -> tuple[int, str]:
    """Its exit code, and all that it says."""
    done = subprocess.run(
        [str(programs / "promtool"), *words], capture_output=True, text=True, timeout=PATIENCE
    )
    return done.returncode, done.stdout + done.stderr


class Prometheus:
    """Scrapes *target* five times a second, and evaluates *rules*, from construction to ``end``."""

    def __init__(self, programs: Path, folder: Path, target: str, rules: Path) -> None:
        folder.mkdir()
        self._url = f"http://127.0.0.1:{(port := free_port())}"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(rules=rules, target=target))
        command = [
            str(programs / "prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--query.lookback-delta=10s",
        ]
        self._group = ProcessGroup(command, folder / "log", {})
        until(self._ready, "Prometheus")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query. Raises ValueError with Prometheus' words if it cannot be read."""
        found: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules, as they were evaluated last."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def end(self) -> None:
        """Repeatable."""
        self._group.end()

    def _ask(self, what: str, **parameters: str) -> Any:
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{parameters}: {json.load(error)['error']}") from None

    def _ready(self) -> bool:
        if not self._group.running:
            raise RuntimeError("Prometheus ended while starting")
        with suppress(OSError), urllib.request.urlopen(f"{self._url}/-/ready", timeout=PATIENCE):
            return True
        return False

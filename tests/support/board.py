"""The Grafana board and the alerts, as texts: their queries, and the metrics that these name.

Knows Grafana's JSON as far as there are queries in it. Does not know what they mean.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sidecar.telemetry import Metrics

__all__ = ["ALERTS", "BOARD", "RUNBOOK", "alerts", "metrics", "named", "panels"]

HOUSE = Path(__file__).parents[2]
BOARD = HOUSE / "deploy" / "grafana" / "bounce-sidecar.json"
ALERTS = HOUSE / "deploy" / "prometheus" / "alerts.yml"
RUNBOOK = HOUSE / "docs" / "runbook.md"
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each panel that asks something, by its title."""
    for panel in json.loads(BOARD.read_text())["panels"]:
        if panel["type"] != "row":
            yield panel["title"], panel


def alerts() -> dict[str, str]:
    """The text of each rule, by the name of its alert."""
    pieces = re.split(r"^ +- alert: (\w+)$", ALERTS.read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def named(text: str) -> set[str]:
    """The metrics of ours in a query, without what a histogram puts behind."""
    found = re.findall(r"\bbounce_sidecar_\w+", text)
    known = metrics()
    return {name if name in known else SUFFIXES.sub("", name) for name in found}


def metrics() -> set[str]:
    """Those that there are, as Prometheus calls them."""
    families = Metrics().registry.collect()
    return {family.name + ("_total" if family.type == "counter" else "") for family in families}

"""docs/operating.md names every command and every metric."""

import re
from pathlib import Path

import click

from sidecar.cli import main
from sidecar.telemetry import Metrics

TEXT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()


def test_every_command_is_there() -> None:
    told = {row.split()[0] for row in re.findall(r"^\| `([^`]+)` \|", TEXT, flags=re.MULTILINE)}
    assert set(main.commands) <= told
    for name, group in main.commands.items():
        for sub in group.commands if isinstance(group, click.Group) else ():
            assert re.search(rf"^\| `{name} {sub}\b", TEXT, flags=re.MULTILINE), f"{name} {sub}"


def test_every_metric_is_there_with_its_labels() -> None:
    for family in Metrics().registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        assert f"| `{name}` |" in TEXT

"""docs/operating.md names every command, every metric and every line of the log."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

from sidecar.cli import main
from sidecar.domain.remedies import Kind
from sidecar.telemetry import Metrics

HOUSE = Path(__file__).parents[2]
TEXT = (HOUSE / "docs" / "operating.md").read_text()
LEVELS = {"info", "warning", "error", "critical"}  # what is told unless `level` says otherwise


def test_every_command_is_there() -> None:
    told = {row.split()[0] for row in re.findall(r"^\| `([^`]+)` \|", TEXT, flags=re.MULTILINE)}
    context = click.Context(main)
    assert set(main.list_commands(context)) <= told
    for name in main.list_commands(context):
        group = main.get_command(context, name)
        for sub in group.commands if isinstance(group, click.Group) else ():
            assert re.search(rf"^\| `{name} {sub}\b", TEXT, flags=re.MULTILINE), f"{name} {sub}"


def test_every_metric_is_there_with_its_labels() -> None:
    for family in Metrics().registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        assert f"| `{name}` |" in TEXT


def test_every_line_of_the_log_is_there() -> None:
    table = TEXT.partition("## What the log says")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (.*?) \|", table, flags=re.MULTILINE))))
    said = set(_events())
    assert {"serving", "intake failed", "watch failed"} <= said, "all three ways to say something are found"
    assert said - told == set()


def test_every_trouble_is_there() -> None:
    section = TEXT.partition("## How it is")[2].partition("\n## ")[0]
    told = re.findall(r"`([a-z-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)))
    assert sorted(told) == sorted(Kind)


def _events() -> Iterator[str]:
    """What is said by ``log.info(...)``, ``report(log, ...)``, a ``Beat`` and ``rounds``."""
    for file in (HOUSE / "sidecar").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            match call:
                case ast.Call(ast.Attribute(ast.Name("log"), level), [ast.Constant(str(event)), *_]):
                    if level in LEVELS:
                        yield event
                case ast.Call(ast.Name("report"), [_, ast.Constant(str(event)), *_]):
                    yield event
                case ast.Call(ast.Name("Beat" | "rounds"), [ast.Constant(str(event)), *_]):
                    yield event

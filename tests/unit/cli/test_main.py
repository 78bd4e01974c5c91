"""The program's words, each where it is said to be."""

import subprocess
import sys

import click
import pytest

from sidecar.cli import COMMANDS, main

NEEDED_NOT = ("sqlalchemy", "aiohttp", "mwclient", "pydantic", "alembic", "pygal", "jinja2")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_found_by_its_own_name(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


def test_what_is_no_command_is_none() -> None:
    assert main.get_command(click.Context(main), "nonsense") is None


def test_a_command_that_needs_little_imports_little() -> None:
    script = "import sys, sidecar.cli; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert {module.partition(".")[0] for module in said.stdout.split()}.isdisjoint(NEEDED_NOT)

"""Fixtures that more than one folder of tests uses; each plugin opens with what it brings."""

from collections.abc import Iterator

import pytest
import structlog

from sidecar.telemetry import SPATE

pytest_plugins = [
    "tests.support.fixtures_browser",
    "tests.support.fixtures_databases",
    "tests.support.fixtures_debian",
    "tests.support.fixtures_logs",
    "tests.support.fixtures_mediawiki",
    "tests.support.fixtures_mta",
    "tests.support.longest_first",
]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command configures the logging of its process, which is ours here."""
    yield
    structlog.reset_defaults()
    SPATE.clear()

"""pytest plugin: each test finds structlog as nobody has configured it, but for two things.

Knows what a command changes in its process, which is ours here. Does not know what is logged.
"""

from collections.abc import Iterator

import pytest
import structlog

from sidecar.telemetry import SPATE


def pytest_configure() -> None:
    """Before anything is logged."""
    _plain_again()


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    _plain_again()
    SPATE.clear()


#: rich would draw a traceback with the source of each of its lines, in colours: half a second.
CONSOLE = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _plain_again() -> None:
    structlog.reset_defaults()
    *others, _ = structlog.get_config()["processors"]
    # A thread that prints by sys.stdout crashes Python if pytest puts another stream there meanwhile: print
    # has no hold on it (CPython 3.11). This logger has.
    structlog.configure(processors=[*others, CONSOLE], logger_factory=structlog.WriteLoggerFactory())

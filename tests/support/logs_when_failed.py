"""pytest plugin: a test that failed shows the logs of the servers that took part in it.

Knows which fixtures are servers, by themselves or as a part of another. Does not know what went wrong.
"""

from collections.abc import Generator, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from tests.support.mail_server import MailServer
from tests.support.sidecar import Sidecar

LONGEST = 5_000  # characters of a log, its last ones


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        shown = {id(server): (name, server) for name, server in _servers(item.funcargs)}
        for name, server in shown.values():
            report.sections.append((f"log of {name}", _log(server)[-LONGEST:]))
    return report


def _servers(values: dict[str, Any]) -> Iterator[tuple[str, MailServer | Sidecar]]:
    for name, value in values.items():
        if isinstance(value, MailServer | Sidecar):
            yield name, value
        elif is_dataclass(value) and not isinstance(value, type):
            yield from _servers(
                {f"{name}.{field.name}": getattr(value, field.name) for field in fields(value)}
            )


def _log(server: MailServer | Sidecar) -> str:
    try:
        return server.log()
    except OSError as unread:
        return f"cannot be read: {unread}"

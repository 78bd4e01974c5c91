"""What a process of the tests does once, and not in each test: compile, read certificates, look at what was
collected.

Knows where SQLAlchemy, PyMySQL and the garbage collector take time in which nothing is tested. Does not know
any test.
"""

import gc
from collections.abc import Generator
from functools import wraps
from ssl import SSLContext
from typing import Any

import pytest
import sqlalchemy as sa
from pymysql.connections import Connection
from sqlalchemy import event
from sqlalchemy.util import LRUCache

__all__ = ["COLLECTED"]

STATEMENTS = 5000  # more than the tests have

#: All tests that were collected, also those that were deselected then.
COLLECTED = pytest.StashKey[list[pytest.Item]]()


class _OfAllEngines(LRUCache[Any, Any]):
    """An engine keeps what it has compiled, by keys that begin with its dialect. Nearly every test has an
    engine of its own, and would compile all anew."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_shared(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_shared(key), value)


def _shared(key: Any) -> Any:
    dialect, *others = key
    return (dialect.name, dialect.driver, dialect.server_version_info, *others)


def pytest_configure() -> None:
    """Before any engine connects."""
    Connection._create_ssl_ctx = _without_wishes_once(Connection._create_ssl_ctx)
    compiled = _OfAllEngines(STATEMENTS)

    @event.listens_for(sa.Engine, "engine_connect")
    def share(connection: sa.Connection) -> None:
        connection.execution_options(compiled_cache=compiled)


def _without_wishes_once(create: Any) -> Any:
    """PyMySQL reads all certificates of the system for each connection, which takes 22 ms of a processor.
    Who has wishes for TLS has them read as ever."""
    usual: list[SSLContext] = []

    @wraps(create)
    def created(connection: Connection, wishes: Any) -> Any:
        if wishes:
            return create(connection, wishes)
        if not usual:
            usual.append(create(connection, wishes))
        return usual[0]

    return created


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Ten thousand tests stay to the end: no round of the collector need look at them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Who wants to know which tests there are need not collect them again."""
    config.stash[COLLECTED] = list(items)

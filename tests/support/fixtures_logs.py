"""A test that logs a secret, or a mail address above debug, fails.

Looked at is whatever this process says by structlog, however that is configured, and what every sidecar that
the tests start writes to a file. Each process of the tests (xdist) looks for itself.
"""

import re
import subprocess
import traceback
from collections.abc import Generator
from functools import wraps
from typing import Any

import pytest
import structlog

from tests.support.leaks import LEAKS

OURS = re.compile(r"(.*/)?bounce-sidecar|.*\bsidecar(_process|\.cli)\b.*", re.DOTALL)  # in who writes our log


def pytest_configure() -> None:
    """Before any test, and below every configuration that a test or a command makes."""
    base = structlog._base.BoundLoggerBase
    base._process_event = _looked_at(base._process_event)
    subprocess.Popen.__init__ = _followed(subprocess.Popen.__init__)


def _looked_at(process_event: Any) -> Any:
    @wraps(process_event)
    def looked_at(logger: Any, level: str, event: Any, facts: dict[str, Any]) -> Any:
        error = facts.get("exc_info")
        stack = traceback.format_exception(error) if isinstance(error, BaseException) else ()
        LEAKS.look(f"{event} {facts!r}{''.join(stack)}", debug=level == "debug")
        return process_event(logger, level, event, facts)

    return looked_at


def _followed(begin: Any) -> Any:
    @wraps(begin)
    def followed(process: Any, args: Any, *more: Any, stderr: Any = None, **others: Any) -> None:
        words = [str(args)] if isinstance(args, str) else map(str, args)
        if hasattr(stderr, "fileno") and any(map(OURS.fullmatch, words)):
            LEAKS.follow(stderr.fileno())
        begin(process, args, *more, stderr=stderr, **others)

    return followed


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None]:
    yield
    _nothing_leaked()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call() -> Generator[None]:
    yield
    _nothing_leaked()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None]:
    try:
        yield
    finally:  # whatever else went wrong: it is not the next test's fault
        found = LEAKS.taken()
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def _nothing_leaked() -> None:
    if found := LEAKS.taken():
        pytest.fail("\n".join(found), pytrace=False)

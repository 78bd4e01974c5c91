"""The log under attack: nothing is printed, and a line of level error is a promise that broke.

Knows structlog. Does not know what was attacked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog

from sidecar.telemetry import SPATE

__all__ = ["overheard"]


@contextmanager
def overheard() -> Iterator[list[str]]:
    """The lines of level error, until whoever asks takes them out."""
    errors: list[str] = []

    def listen(_logger: object, level: str, line: dict[str, Any]) -> NoReturn:
        if level in ("error", "critical"):
            errors.append(f"{line.get('event')} {line.get('error', '')} {line.get('place', '')}")
        raise structlog.DropEvent

    before = structlog.get_config()
    SPATE.clear()
    structlog.configure(processors=[listen], wrapper_class=structlog.BoundLogger)
    try:
        yield errors
    finally:
        structlog.configure(**before)
        SPATE.clear()

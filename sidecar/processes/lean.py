"""What a library imports if it is there, and nobody here needs. Does not know who goes without."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_rich"]


@contextmanager
def without_rich() -> Iterator[None]:
    """Around the first import of structlog: it imports rich and every lexer of Pygments, for tracebacks that
    are never printed. 4 MB of each process.
    """
    hide = not {"structlog", "rich"} & sys.modules.keys()
    if hide:
        sys.modules["rich"] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        yield
    finally:
        if hide:
            del sys.modules["rich"]

"""How a door logs what nobody foresaw.

Knows that an exception's words may quote a mail address, and that no address is logged above debug.
Does not know what the door answers.
"""

import traceback
from pathlib import Path
from typing import Any

__all__ = ["report"]


def report(log: Any, event: str, error: BaseException) -> None:
    """One error line with the kind and the place; the words and the whole traceback at debug."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    log.error(event, error=type(error).__name__, place=place)
    log.debug(event, exc_info=error)

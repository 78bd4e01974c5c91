"""The file in which a farm's wikis are remembered.

Knows that it is whole or not there, whoever is killed when. Does not know what a census is good for.
"""

import contextlib
import os
import tempfile
from pathlib import Path

from sidecar.domain.census import Census, Unreadable, from_text, to_text

__all__ = ["load", "store"]

LONGEST = 16 * 2**20  # octets; a thousand wikis have some 200,000
READABLE = 0o644  # no secret is in it; an operator's command and the daemon write it in turn


def load(path: Path) -> Census | None:
    """What was stored last; None if nothing was. Raises Unreadable."""
    try:
        if path.stat().st_size > LONGEST:
            raise Unreadable(f"{path} is no census: it is too long")
        return from_text(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def store(path: Path, census: Census) -> None:
    """In place of what was there, at one instant. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(to_text(census))
            file.flush()
            os.fchmod(descriptor, READABLE)
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise

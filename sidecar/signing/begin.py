"""Where a process that signs begins. Does not know what it does: worker.py does."""

import os
from importlib import import_module

from sidecar.processes.lean import without_rich
from sidecar.processes.ties import end_after

__all__ = ["main"]


def main(numbers: str) -> None:
    """What worker.py does."""
    end_after(lambda: os.read(0, 1))  # standard input says nothing, and ends with who holds its other end
    with without_rich():
        worker = import_module("sidecar.signing.worker")
    worker.main(numbers)

"""Where a process that signs begins. Does not know what it does: worker.py does."""

from importlib import import_module

from sidecar.processes.lean import without_rich

__all__ = ["main"]


def main(numbers: str) -> None:
    """What worker.py does."""
    with without_rich():
        worker = import_module("sidecar.signing.worker")
    worker.main(numbers)

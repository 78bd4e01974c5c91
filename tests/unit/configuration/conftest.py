"""Nothing in the environment, and the good configurations in a folder of their own."""

import os
from pathlib import Path

import pytest

from tests.unit.configuration.configs import GOOD, private


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BOUNCE_SIDECAR_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The good configurations and their secrets, readable by their owner alone."""
    return private(GOOD, tmp_path)

"""Where the tests keep what they download, and how they say that a part is missing."""

import os
import socket
from pathlib import Path
from typing import NoReturn

import pytest

#: Unpacked Debian packages, kept between runs. Not inside the repository: Postfix runs as another user
#: and may not be able to enter a home directory.
CACHE = Path(os.environ.get("BOUNCE_SIDECAR_TEST_CACHE", f"/var/tmp/bounce-sidecar-tests-{os.getuid()}"))


def missing(part: str) -> NoReturn:
    """Skip loudly; under CI nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(f"missing under CI: {part}")
    pytest.skip(f"not installed: {part}")


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""On what was measured: the machine, the versions, the load, the date, the commit.

Knows where a Debian says so. Does not know what was measured.
"""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["facts"]

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("uvloop", "SQLAlchemy", "flufl.bounce")


def facts(words: str) -> dict[str, str]:
    """By the names under which a reader sees them. *words*: what the command was given."""
    release = (
        platform.freedesktop_os_release().get("PRETTY_NAME", "") if Path("/etc/os-release").exists() else ""
    )
    processor = _found("/proc/cpuinfo", r"model name\s*: (.+)") or platform.machine()
    memory = int(_found("/proc/meminfo", r"MemTotal:\s+(\d+)") or 0) // 1024
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "command": f"make bench {words}".strip(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _said(["git", "rev-parse", "--short", "HEAD"]) or "not in a repository",
        "processors": f"{os.cpu_count()} of {processor}",
        "memory": f"{memory} MiB",
        "load before (1, 5, 15 minutes)": load,
        "system": f"{release}, Linux {platform.release()}",
        "file system of /var/tmp": _said(["stat", "-f", "-c", "%T", "/var/tmp"]),
        "versions": f"Python {platform.python_version()}, "
        + ", ".join(f"{library} {version(library)}" for library in LIBRARIES),
    }


def _found(path: str, pattern: str) -> str:
    found = re.search(pattern, Path(path).read_text()) if Path(path).exists() else None
    return found[1].strip() if found else ""


def _said(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10).stdout.strip()

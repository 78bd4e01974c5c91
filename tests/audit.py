"""Is anything known to be wrong with what is installed? ``make audit``.

Knows how pip-audit is asked, of PyPI or of a folder. Does not know what is known.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.advisories import Advisories, NoAdvisories
from tests.support.advisory_window import AdvisoryWindow

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
#: All but ourselves, whom no list knows: pip-audit takes --skip-editable for a failure once it is --strict.
LIST = [*PIP, "list", "--format=freeze", "--exclude-editable"]
#: The list is complete, so pip has nothing to resolve. What cannot be looked up is a failure.
AUDIT = [sys.executable, "-m", "pip_audit", "--strict", "--no-deps", "--disable-pip", "--requirement"]


def main(words: list[str] | None = None) -> int:
    """The exit code is pip-audit's, or 2 where the folder cannot be used."""
    parser = argparse.ArgumentParser(prog="make audit")
    parser.add_argument(
        "advisories", nargs="?", type=Path, help="a folder with vulns/ in it; else PyPI is asked"
    )
    folder: Path | None = parser.parse_args(words).advisories
    if folder is None:
        return _audit()
    try:
        advisories = Advisories(folder)
    except NoAdvisories as error:
        print(f"make audit: {error}", file=sys.stderr)
        return 2
    day = advisories.newest[:10]
    print(f"{advisories.count} advisories, the newest of {day}; later ones are not known", flush=True)
    with AdvisoryWindow(advisories) as window:
        code = _audit("--vulnerability-service", "osv", "--osv-url", window.url)
    print(f"{len(window.asked)} packages looked up")
    return code


def _audit(*where: str) -> int:
    with tempfile.NamedTemporaryFile(suffix=".txt") as installed:
        subprocess.run(LIST, stdout=installed, check=True)
        environment = {**os.environ, "no_proxy": "127.0.0.1"} if where else None
        return subprocess.run([*AUDIT, installed.name, *where], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

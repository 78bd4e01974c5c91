"""What a user installs: the wheel, away from the sources, with all that it needs beside the code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.servers  # pip builds it, which wants a package index

ROOT = Path(__file__).parents[2]
PIP = ["pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"]


def test_the_wheel_brings_rules_migrations_fixtures_and_the_extension(tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    subprocess.run([sys.executable, "-m", *PIP, str(installed), str(ROOT)], check=True, timeout=300)
    demo = subprocess.run(
        [sys.executable, "-P", "-c", "from sidecar.cli import main; main()", "demo", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr
    assert len(json.loads(demo.stdout)) == 12
    assert (installed / "wiki_adapter/BounceSidecar/extension.json").is_file()

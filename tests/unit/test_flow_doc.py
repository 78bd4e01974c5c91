"""docs/flow.md leads from file to file: each of them is there."""

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
FOLDERS = ("sidecar", "wiki_adapter", "deploy", "fixtures", "tests")
TEXT = (HOUSE / "docs" / "flow.md").read_text()
FILE = re.compile(r"`([\w./*-]+\.(?:py|php|toml|socket|service))`")


def test_each_file_that_is_named_is_there() -> None:
    files = [path for folder in FOLDERS for path in (HOUSE / folder).rglob("*.*")]
    named = set(FILE.findall(TEXT))
    assert len(named) > 200
    assert {name for name in named if not any(path.match(name) for path in files)} == set()


def test_each_folder_that_is_named_is_there() -> None:
    for name in set(re.findall(r"`([a-z_/]+)/`", TEXT)):
        assert any((HOUSE / place / name).is_dir() for place in (".", "sidecar", "sidecar/storage")), name

"""docs/flow.md leads from file to file: each of them is there."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
FOLDERS = ("sidecar", "wiki_adapter", "deploy", "fixtures", "tests")
TEXT = (HOUSE / "docs" / "flow.md").read_text()
FILE = re.compile(r"`([\w./*-]+\.(?:py|php|toml|socket|service))`")


@pytest.mark.parametrize("name", sorted(set(FILE.findall(TEXT))))
def test_each_file_that_is_named_is_there(name: str) -> None:
    assert any(
        found
        for folder in FOLDERS
        for found in (HOUSE / folder).glob(f"**/{name.split('/')[-1]}")
        if found.match(name)
    )


def test_each_folder_that_is_named_is_there() -> None:
    for name in set(re.findall(r"`([a-z_/]+)/`", TEXT)):
        assert any((HOUSE / place / name).is_dir() for place in (".", "sidecar", "sidecar/storage")), name

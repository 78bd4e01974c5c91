"""The configurations among the fixtures, good and bad, with their secrets."""

import shutil
from pathlib import Path

import pytest

from sidecar.config_files import secret_reader
from sidecar.configuration.config import parse
from sidecar.configuration.configured import Config, ConfigError
from sidecar.host import load_config

CONFIGS = Path(__file__).parents[3] / "fixtures" / "configs"
GOOD = CONFIGS / "good"
SECRET_FILES = {".keys", ".password", ".secret", ".oauth", ".token"}


def private(source: Path, target: Path) -> Path:
    for file in source.iterdir():
        copy = Path(shutil.copy(file, target))
        copy.chmod(0o644 if file.name.startswith("world-readable") else 0o600)
    return target


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "config.toml")
    return caught.value.problems


def minimal(folder: Path, more: str = "") -> Config:
    return parse((folder / "minimal.toml").read_text() + more, secret_reader(folder, None))

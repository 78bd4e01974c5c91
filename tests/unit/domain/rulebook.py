"""The rules that are shipped, read as the daemon reads them."""

from functools import cache
from pathlib import Path

from sidecar.domain.classify import RuleBook

ROOT = Path(__file__).resolve().parents[3]
RULES = sorted((ROOT / "sidecar/domain/rules").glob("*.toml"))
FILES = tuple((path.name, path.read_text(encoding="utf-8")) for path in RULES)


@cache
def shipped() -> RuleBook:
    """In the order of the file names."""
    return RuleBook.known(*FILES)

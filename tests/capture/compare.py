"""Whether two captures say the same: the same cases, and of each the same facts and the same reading.

Knows how a fixture is read by the product. Lets ids, times, boundaries and versions differ. Changes nothing.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sidecar.domain.notice import read
from sidecar.edges.rule_files import built_in

__all__ = ["differences"]

RULES = built_in()


def differences(kept: Path, fresh: Path) -> list[str]:
    """What is not the same in two folders of one mail server, a line each."""
    return [f"{kept.name}/{line}" for line in _differences(kept, fresh)]


def _differences(kept: Path, fresh: Path) -> Iterator[str]:
    names = {place: {path.stem for path in place.glob("*.eml")} for place in (kept, fresh)}
    yield from (f"{name}: no longer made" for name in sorted(names[kept] - names[fresh]))
    yield from (f"{name}: new" for name in sorted(names[fresh] - names[kept]))
    for name in sorted(names[kept] & names[fresh]):
        before, after = (_said(place / name) for place in (kept, fresh))
        for what in sorted(before.keys() | after.keys()):
            if before.get(what) != after.get(what):
                yield f"{name}: {what} was {before.get(what)!r}, is {after.get(what)!r}"


def _said(path: Path) -> dict[str, Any]:
    """What stands in the .toml, and what the product reads in the mail."""
    facts = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    facts.pop("version")
    notice = read(path.with_suffix(".eml").read_bytes())
    facts["read as"] = str(notice.kind)
    for number, report in enumerate(notice.reports, 1):
        verdict = RULES.judge(report)
        facts[f"report {number}"] = {
            "recipient": report.address,
            "action": str(report.action),
            "status": report.status,
            "category": str(verdict.category),
            "hard": verdict.hard,
            "rule": verdict.rule,
        }
    return facts

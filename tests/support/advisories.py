"""PyPA's list of known vulnerabilities, from a folder: a checkout of github.com/pypa/advisory-database.

Knows OSV's records and which versions they affect. Does not know who asks, or what is installed.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

__all__ = ["Advisories", "NoAdvisories"]

#: Leaves every value as it is spelled: 1.10 is a version, and no number.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class NoAdvisories(Exception):
    """The folder holds no list, or one that cannot be read: name the folder with vulns/ in it."""


class Advisories:
    """All records below *folder*/vulns that have not been withdrawn. Raises NoAdvisories."""

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self.newest = ""  #: when one of them was changed last, as they write it
        self._by_name: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for path in sorted((folder / "vulns").rglob("*.yaml")):
            try:
                with path.open("rb") as stream:
                    self._add(yaml.load(stream, Loader=LOADER))
            except (yaml.YAMLError, KeyError, TypeError) as error:
                raise NoAdvisories(f"{path} cannot be read: {error!r}") from error
        if not self.count:
            raise NoAdvisories(f"{folder} has no vulns/ with records in it")

    def about(self, name: str, version: str) -> list[dict[str, Any]]:
        """The records that affect this version, however the name is spelled. Raises InvalidVersion."""
        # 2.1+debian is affected as 2.1 is: the list knows no builds of others.
        name, asked = canonicalize_name(name), Version(Version(version).public)
        return [
            record
            for record in self._by_name[name]
            if any(one["package"]["name"] == name and _affects(one, asked) for one in record["affected"])
        ]

    def _add(self, record: dict[str, Any]) -> None:
        self.newest = max(self.newest, record["modified"])
        if record.get("withdrawn"):
            return
        self.count += 1
        for affected in record["affected"]:
            # pip-audit finds the versions that mend it only under the name that it asked for.
            affected["package"]["name"] = canonicalize_name(affected["package"]["name"])
        for name in {affected["package"]["name"] for affected in record["affected"]}:
            self._by_name[name].append(record)


def _affects(affected: dict[str, Any], version: Version) -> bool:
    """Whether it is listed, or within a range. https://ossf.github.io/osv-schema/#evaluation"""
    ranges = [one["events"] for one in affected.get("ranges", []) if one["type"] == "ECOSYSTEM"]
    listed = any(_same(version, text) for text in affected.get("versions", []))
    return listed or any(_within(events, version) for events in ranges)


def _same(version: Version, text: str) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:  # "0.9-fearow": pip installs no such thing
        return False


def _within(events: list[dict[str, str]], version: Version) -> bool:
    """Events may stand in any order. Raises InvalidVersion where a bound is none: it cannot be judged."""
    bounds = sorted((_bound(text), kind) for event in events for kind, text in event.items())
    inside = False
    for at, kind in bounds:
        if kind == "introduced" and at <= version:
            inside = True
        elif (kind == "fixed" and at <= version) or (kind == "last_affected" and at < version):
            inside = False
    return inside


def _bound(text: str) -> Version:
    return Version("0.dev0" if text == "0" else text)  # OSV: "0" is before all versions

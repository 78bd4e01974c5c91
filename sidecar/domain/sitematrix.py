"""The sitematrix: which wikis a farm has, as MediaWiki's extension SiteMatrix lists them.

Knows the answer of its API (https://www.mediawiki.org/wiki/API:Sitematrix; ApiSiteMatrix.php): languages
under numbers, what belongs to no language under "specials", a flag only where it is true. Does not know which
of the wikis are wanted, nor how the answer was got.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["KINDS", "PARAMETERS", "Listed", "NotAMatrix", "read"]

#: The parameters that ask for what is read here, and for no more.
PARAMETERS: Mapping[str, str] = {
    "action": "sitematrix",
    "format": "json",
    "formatversion": "2",
    "smlangprop": "site",
    "smsiteprop": "url|dbname",
    "smlimit": "max",
}

#: What a wiki may be besides an ordinary one. "special" is what the list says by its place.
KINDS = ("closed", "private", "fishbowl", "nonglobal", "special")


class NotAMatrix(Exception):
    """What came is no sitematrix, or not all of it. Ask for the URL in a browser: it must show JSON."""


@dataclass(frozen=True)
class Listed:
    """A wiki as it is listed."""

    id: str  #: the name of its database, which is siteinfo's wikiid
    url: str  #: without a path, usually
    kinds: frozenset[str] = frozenset()


def read(answer: object) -> list[Listed]:
    """The wikis of an answer, in its order. What has no name or no URL is left out. Raises NotAMatrix."""
    if not isinstance(answer, dict):
        raise NotAMatrix("it is JSON, but not of MediaWiki's API")
    if isinstance(error := answer.get("error"), dict):
        raise NotAMatrix(f"the wiki answers {error.get('code')}: {error.get('info')}")
    matrix = answer.get("sitematrix")
    if not isinstance(matrix, dict):
        raise NotAMatrix("there is no sitematrix in it")
    if "continue" in answer or "query-continue" in answer:
        raise NotAMatrix("it is only a part: the farm has more wikis than one answer holds")
    listed = [one for group, special in _groups(matrix) for one in _wikis(group, special)]
    if not listed:
        raise NotAMatrix("there is no wiki in it")
    return listed


def _groups(matrix: Mapping[str, Any]) -> Iterator[tuple[object, bool]]:
    for name, value in matrix.items():
        if name == "specials":
            yield value, True
        elif isinstance(value, dict):
            yield value.get("site"), False


def _wikis(group: object, special: bool) -> Iterator[Listed]:
    for entry in group if isinstance(group, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("dbname"), str):
            kinds = {kind for kind in KINDS if _is(entry.get(kind))} | ({"special"} if special else set())
            if isinstance(entry.get("url"), str):
                yield Listed(entry["dbname"], entry["url"], frozenset(kinds))


def _is(flag: object) -> bool:
    """formatversion 1 says "" for true, and nothing for false."""
    return flag is True or flag == ""

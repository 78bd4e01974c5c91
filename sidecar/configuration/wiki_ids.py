"""Ids of wikis, as they stand in return paths.

Knows which cannot be told apart there, and which are too long. Does not know files or other settings.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sidecar.configuration.complaints import wikis_of
from sidecar.domain import verp

__all__ = ["too_long", "wiki_problems"]


def wiki_problems(data: Mapping[str, Any]) -> list[str]:
    """Ids that cannot be told apart in a return path, or do not fit into one."""
    problems = []
    if not data.get("wikis") and not data.get("farm"):
        problems.append("[[wikis]] is missing")
    ids = [wiki["id"] for _, wiki in wikis_of(data) if isinstance(wiki.get("id"), str)]
    spelled = Counter(verp.wire(wiki).lower() for wiki in ids)
    for wiki in dict.fromkeys(ids):
        if spelled[verp.wire(wiki).lower()] > 1:
            same = [other for other in ids if verp.wire(other).lower() == verp.wire(wiki).lower()]
            problems.append(
                f"[[wikis]] id = {wiki!r}: reads like another one in a return path: {', '.join(same)}"
            )
        if problem := too_long(wiki, data.get("verp")):
            problems.append(f"[[wikis]] id = {wiki!r}: {problem}")
    return problems


def too_long(wiki: str, spelling: object) -> str:
    """Why return paths for *wiki* do not fit, as [verp], *spelling*, spells them; "" if they do."""
    longest = max(verp.longest_local_part(prefix, wiki, key) for prefix, key in _spellings(spelling))
    if longest <= verp.LOCAL_PART_LIMIT:
        return ""
    return (
        f"return paths would need {longest} octets, {verp.LOCAL_PART_LIMIT} are allowed (RFC 5321); "
        "shorten the prefix"
    )


def _spellings(section: object) -> Iterator[tuple[str, int]]:
    """Prefix and length of the key, of each format that is in use."""
    ours = section if isinstance(section, dict) else {}
    yield str(ours.get("prefix", "wiki")), verp.KEY_CHARACTERS
    if isinstance(theirs := ours.get("bouncehandler"), dict):
        yield str(theirs.get("prefix", "wiki")), verp.BOUNCEHANDLER_KEY_CHARACTERS

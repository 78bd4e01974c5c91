"""What `status` says of the signs of life: for people, for Nagios, and as JSON. Pure.

Knows the words. Does not know where anything comes from.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sidecar.domain.harmless import harmless
from sidecar.domain.remedies import Severity
from sidecar.domain.trouble import Tolerance, Trouble
from sidecar.domain.vitals import NodeSign, Vitals
from sidecar.services.vitals import Findings

__all__ = ["NAME", "Verdict", "as_facts", "for_nagios", "for_people", "verdict"]

NAME = "BOUNCE-SIDECAR"
NARROW = 40  # columns, at least
MOST = 10  # of nodes and wikis that are named one by one

_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True)
class Verdict:
    """All of it in a word."""

    word: str
    exit_code: int


_OK = Verdict("OK", 0)
_VERDICTS = {Severity.WARNING: Verdict("WARNING", 1), Severity.CRITICAL: Verdict("CRITICAL", 2)}


def verdict(found: list[Trouble]) -> Verdict:
    """That of the worst, which comes first."""
    return _VERDICTS[found[0].severity] if found else _OK


def for_people(found: Findings, tolerance: Tolerance, width: int = 0) -> list[str]:
    """The verdict, each trouble with what to do, and when anything last happened.

    *width*: columns of the terminal; 0: as long as they are, for a program or a file.
    """
    vitals, lines = found.vitals, [*_folded("", _first(found), 0, width), ""]
    for one in found.troubles:
        since = f" Since {_when(one.since, vitals.at)}." if one.since else ""
        lines += _folded(one.severity.upper(), f"{one.kind}: {one.what}.{since}", 9, width)
        lines += [*_folded("", one.remedy, 9, width), ""]
    for name, words in _facts(vitals, tolerance):
        lines += _folded(f"{name}:", words, 18, width)
    return lines


def _folded(name: str, words: str, indent: int, width: int) -> list[str]:
    """A name, and beside it what is said, in as many lines as it needs."""
    left, said = f"{name:<{indent}}", harmless(words)
    if not width:
        return [left + said]
    folded = textwrap.wrap(
        said,
        max(width, NARROW),
        initial_indent=left,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return folded or [left]


def for_nagios(found: Findings, tolerance: Tolerance) -> list[str]:
    """A line of the plugins' kind, with performance data; and each trouble as long output."""
    numbers = " ".join(_numbers(found.vitals, tolerance))
    others = [f"{one.kind}: {one.what}. {one.remedy}" for one in found.troubles]
    first, *rest = (harmless(line).replace("|", "/") for line in [_first(found), *others])
    return [f"{first} | troubles={len(found.troubles)} {numbers}".rstrip(), *rest]


def as_facts(found: Findings) -> dict[str, Any]:
    """For `as_json`."""
    all_in_all = verdict(found.troubles)
    return {
        "status": all_in_all.word.lower(),
        "exit_code": all_in_all.exit_code,
        "troubles": [
            {
                "kind": one.kind,
                "severity": one.severity,
                "subject": one.subject,
                "what": one.what,
                "since": one.since,
                "remedy": one.remedy,
            }
            for one in found.troubles
        ],
        "vitals": found.vitals,
    }


def _first(found: Findings) -> str:
    said, vitals = found.troubles, found.vitals
    if said:
        more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
        words = said[0].what + more
    elif vitals.history:
        signed, bounced = _when(vitals.signed, vitals.at), _when(vitals.bounced, vitals.at)
        words = f"last mail signed {signed}, last bounce {bounced}"
    else:
        words = "this node only issues return paths; ask a node that takes bounces for all else"
    return f"{NAME} {verdict(said).word} - {words}"


def _facts(vitals: Vitals, tolerance: Tolerance) -> Iterator[tuple[str, str]]:
    if vitals.history and not (vitals.database and not vitals.nodes):
        yield from _history(vitals, tolerance)
    yield (
        "clock",
        {True: "synchronised", False: "not synchronised", None: "the system does not tell"}[
            vitals.synchronised
        ],
    )
    if vitals.free is not None:
        yield "free", f"{vitals.free / 2**20:,.0f} MiB on the disk of the database"


def _history(vitals: Vitals, tolerance: Tolerance) -> Iterator[tuple[str, str]]:
    at, outbox = vitals.at, vitals.outbox
    days = f"{tolerance.silence.total_seconds() / 3600:g} hours"
    yield "last mail signed", f"{_when(vitals.signed, at)}; {vitals.signed_lately:,} in the last {days} or so"
    yield "last notice", _when(vitals.noticed, at)
    yield "last bounce", _when(vitals.bounced, at)
    yield "last action", _when(vitals.acted, at)
    oldest = f", the oldest since {_when(outbox.oldest, at)}" if outbox.oldest else ""
    yield (
        "outbox",
        f"{outbox.waiting:,} waiting{oldest}; {outbox.held:,} held; {outbox.dead:,} refused for good",
    )
    yield "brakes", ", ".join(f"{one.id} ({one.why})" for one in vitals.brakes) or "none holds"
    since = f", the oldest since {_when(vitals.aside_since, at)}" if vitals.aside_since else ""
    yield "set aside", f"{vitals.aside:,}{since}"
    yield "canary", _canary(vitals, tolerance)
    for node in vitals.nodes[:MOST]:
        yield "node", _node(node, at)
    wikis = [f"{one.wiki} ({one.ailment})" for one in vitals.wikis]
    more = f" and {len(wikis) - MOST} more" if len(wikis) > MOST else ""
    yield "wikis in trouble", ", ".join(wikis[:MOST]) + more or "none"


def _canary(vitals: Vitals, tolerance: Tolerance) -> str:
    if tolerance.canary_every is None:
        return "off: [canary] smtp"
    if not vitals.canaries:
        return "none was sent yet"
    last = vitals.canaries[0]
    sent = f"last sent {_when(last.sent, vitals.at)}"
    if last.returned:
        return f"{sent}, back after {last.took.total_seconds():.1f} s"
    return f"{sent}, {last.error or 'not back yet'}"


def _node(node: NodeSign, at: datetime) -> str:
    seen = f"stopped {_when(node.stopped, at)}" if node.stopped else f"seen {_when(node.seen, at)}"
    return f"{node.name} ({node.roles}), version {node.version}, {seen}"


def _numbers(vitals: Vitals, tolerance: Tolerance) -> Iterator[str]:
    if vitals.history:
        outbox = vitals.outbox
        yield f"waiting={outbox.waiting} held={outbox.held} aside={vitals.aside} brakes={len(vitals.brakes)}"
        yield f"signed={vitals.signed_lately}"
    if back := [one for one in vitals.canaries if one.returned]:
        limits = (tolerance.slow.total_seconds(), tolerance.canary.total_seconds())
        yield f"canary={back[0].took.total_seconds():.3f}s;{limits[0]:g};{limits[1]:g}"
    if vitals.free is not None:
        yield f"free={vitals.free}B;{tolerance.low}:;{tolerance.full}:"


def _when(moment: datetime | None, at: datetime) -> str:
    if moment is None:
        return "never"
    seconds = int((at - moment).total_seconds())
    for size, unit in _SPANS:
        if seconds >= size:
            return f"{moment:%Y-%m-%d %H:%M} UTC ({seconds // size} {unit} ago)"
    return f"{moment:%Y-%m-%d %H:%M} UTC (now)"

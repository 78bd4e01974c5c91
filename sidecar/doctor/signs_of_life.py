"""What the history shows of the daemon, the wikis and the canary: who lives, and what has stopped coming.

Pure: signs of life in, findings out. What is wrong with them is judged by domain/trouble.py, as everywhere;
what the doctor has looked at by himself is left to that.
"""

from collections.abc import Iterator
from datetime import datetime

from sidecar.domain.finding import Finding, State, ok, unknown, warn
from sidecar.domain.remedies import Kind, Severity
from sidecar.domain.trouble import Tolerance, troubles
from sidecar.domain.vitals import Vitals

__all__ = ["canary_findings", "mail_findings", "node_findings", "trouble_findings"]

#: Looked at here and now.
SEEN_ELSEWHERE = {
    Kind.DATABASE, Kind.DISK_FULL, Kind.DISK_LOW, Kind.CLOCK, Kind.CANARY_LOST, Kind.CANARY_SLOW,
    Kind.WIKI_LOGIN, Kind.WIKI_MISCONFIGURED, Kind.WIKI_CERTIFICATE, Kind.WIKI_DOWN,
}  # fmt: skip
CANARY = {Kind.CANARY_LOST, Kind.CANARY_SLOW}
STATES = {Severity.CRITICAL: State.WRONG, Severity.WARNING: State.WARN}


def node_findings(vitals: Vitals, node: str, installed: str) -> Iterator[Finding]:
    """Whether the daemon of this host is the program that is installed."""
    for one in vitals.nodes:
        if one.name == node and one.stopped is None:
            said = f"node {node} was seen at {_when(one.seen)}, version {one.version}"
            if one.version != installed:
                mend = "systemctl restart bounce-sidecar"
                yield warn(f"{said}: {installed} is installed, and runs from the next start on", mend)
            else:
                yield ok(said)


def mail_findings(vitals: Vitals) -> Finding:
    """Whether any wiki asks for return paths."""
    if vitals.signed is None:
        return unknown(
            "no mail was ever signed: does the wiki ask for return paths?",
            "have it send a mail (Special:PasswordReset), and look at its Return-Path; "
            "$wgBounceSidecarSocket must be [sockets] verp",
        )
    return ok(f"the last mail was signed at {_when(vitals.signed)}, {vitals.signed_lately:,} since yesterday")


def canary_findings(vitals: Vitals, tolerance: Tolerance) -> list[Finding]:
    """Whether one is sent, and comes back."""
    if tolerance.canary_every is None:
        return [ok("none is sent: [canary] smtp is not set")]
    if not vitals.canaries:
        return [unknown("none was sent yet", "bounce-sidecar canary")]
    found = _troubles(vitals, tolerance, CANARY)
    newest = vitals.canaries[0]
    back = f", and came back at {_when(newest.returned)}" if newest.returned else ""
    return found or [ok(f"the last canary was sent at {_when(newest.sent)}{back}")]


def trouble_findings(vitals: Vitals, tolerance: Tolerance) -> list[Finding]:
    """What else is wrong, as `status` says it."""
    return _troubles(vitals, tolerance, set(Kind) - SEEN_ELSEWHERE)


def _troubles(vitals: Vitals, tolerance: Tolerance, kinds: set[Kind]) -> list[Finding]:
    return [
        Finding(STATES[one.severity], one.what, one.remedy)
        for one in troubles(vitals, tolerance)
        if one.kind in kinds
    ]


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"

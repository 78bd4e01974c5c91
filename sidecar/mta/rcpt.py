"""What the running mail server says to return paths, good and forged.

Pure: its replies to RCPT in, findings out. Does not know which mail server it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.domain.finding import Finding, ok, unknown, wrong
from sidecar.mta.asking import Reply

__all__ = ["Probes", "rcpt_findings"]

_LATER = "the mail server's log says why; so it answers while the daemon is down or may not be asked"


@dataclass(frozen=True)
class Probes:
    """Return paths to try: nothing is ever sent to them."""

    good: tuple[str, ...]  #: freshly signed, one in each format; with a "/" in it where there is one
    forged: str


def rcpt_findings(
    probes: Probes, replies: Mapping[str, Reply], server: str, again: str, *, trusted: bool = False
) -> list[Finding]:
    """*again* is what to do if the mail server is not set up; it may be *trusted* and not asked."""
    if not replies:
        return [wrong(f"no mail server answers at {server}", "start it, or name it with --smtp HOST:PORT")]
    found = [_good(address, replies.get(address), server, again) for address in probes.good]
    return [*found, _forged(replies.get(probes.forged), server, again, trusted)]


def _good(address: str, reply: Reply | None, server: str, again: str) -> Finding:
    kind = "a signed return path" + (' with a "/" in it' if "/" in address else "")
    if reply is None:
        return unknown(f"{server} ended the connection before {kind} was tried", "look into its log")
    if 200 <= reply.code < 300:
        return ok(f"{server} takes {kind}")
    said = f"{server} does not take {kind}: {reply.code} {reply.text}"
    return wrong(said, _LATER if 400 <= reply.code < 500 else again)


def _forged(reply: Reply | None, server: str, again: str, trusted: bool) -> Finding:
    if reply is None:
        return unknown(f"{server} ended the connection before a forged return path was tried", "see its log")
    if 500 <= reply.code < 600:
        return ok(f"{server} refuses a forged return path: {reply.code} {reply.text}")
    said = f"{server} does not refuse a forged return path: {reply.code} {reply.text}"
    if trusted and reply.code < 400:
        return unknown(
            f"{said}; it trusts this host and did not ask", "run this on a host that it does not trust"
        )
    return wrong(said, _LATER if 400 <= reply.code < 500 else again)

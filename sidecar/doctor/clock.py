"""Clocks: whether anything sets this host's, and how far another one may be from it.

Knows how much is too much. Does not look at other clocks: who asks a wiki or a database compares.
"""

from datetime import timedelta

from sidecar.domain.finding import Finding, ok, unknown, warn, wrong

__all__ = ["apart", "kernel_finding"]

MOST = timedelta(seconds=60)  # between two clocks; the extension refuses what is an hour ahead


def kernel_finding(synchronised: bool | None) -> Finding:
    """What the kernel says of its own clock; a container has its host's."""
    if synchronised is None:
        return unknown("whether anything sets this host's clock: the kernel does not tell", "timedatectl")
    if synchronised:
        return ok("this host's clock is synchronised")
    mend = "apt install chrony; in a container, on its host"
    return warn("nothing sets this host's clock, says the kernel", mend)


def apart(whose: str, ahead: timedelta) -> Finding | None:
    """Another clock that is so far *ahead* of ours; None if that is well."""
    if abs(ahead) <= MOST:
        return None
    direction = "ahead of" if ahead > timedelta(0) else "behind"
    said = f"{whose} is {abs(ahead).total_seconds():,.0f} s {direction} this host's clock"
    return wrong(said, "`date -u` on both tells which is wrong; apt install chrony there")

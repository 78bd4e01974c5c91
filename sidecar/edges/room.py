"""Who makes room where all places are taken: the peer that has kept us waiting longest, or sends slowest.

Does not know what is waited for: a door that finished something for a peer says when. Without this, peers
that say nothing, or drip, would keep everybody else out.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["SPARE", "idlest", "slowest"]

# seconds; who came or was served so lately is no idler: of a rush of honest peers, the last shall come again
SPARE = 1.0

TICK = 0.001  # seconds; the loop's clock has no finer ones, so that somebody may have begun at no time ago

P = TypeVar("P")


def idlest(peers: Iterable[P], waiting_since: Callable[[P], float | None], long_ago: float) -> P | None:
    """Who gives up its place; None if all are at work, or have not kept us waiting since *long_ago*.

    *waiting_since*: on the clock of *long_ago*, in seconds; None for a peer that waits for us.
    """
    waiting = [(since, peer) for peer in peers if (since := waiting_since(peer)) is not None]
    since, peer = min(waiting, key=lambda one: one[0], default=(long_ago, None))
    return peer if since < long_ago else None


def slowest(
    peers: Iterable[P], sends: Callable[[P], tuple[float, int] | None], now: float, long_ago: float
) -> P | None:
    """Of those that have been sending since before *long_ago*, who brings least a second; None if nobody has.

    *sends*: since when, on the clock of *now*, in seconds, and the octets that came; None for who does not.
    """
    rates = [
        (octets / max(now - since, TICK), peer)
        for peer in peers
        if (sent := sends(peer)) is not None
        for since, octets in [sent]
        if since < long_ago
    ]
    return min(rates, key=lambda one: one[0], default=(0.0, None))[1]

"""The small world in which the mail servers fail: a name server and other people's mail servers, on loopback.

Knows addresses and how to begin. Does not know which server is being captured. The network must be one of
its own: port 25 and port 53 are taken, and a network's documentation addresses become ours.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.support.bounce_cases import MX_ADDRESSES, NAMES
from tests.support.name_server import NameServer
from tests.support.remote_mx import RemoteMx

__all__ = ["BOUNCES", "LIFETIME", "WARNING", "small_world"]

BOUNCES = "bounces.example.org"  # the domain of the return paths
LIFETIME = 6  # seconds in the queue, instead of days
WARNING = 1  # seconds until the sender is told of a delay, instead of hours


@contextmanager
def small_world() -> Iterator[None]:
    """Loopback, the name server and the remote servers, in the network that this thread is in."""
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "replace", "192.0.2.0/24", "dev", "lo"],
    ):
        subprocess.run(command, check=True)
    with ExitStack() as stack:
        for server in (NameServer("127.0.0.1", NAMES), *(RemoteMx(a, 25) for a in MX_ADDRESSES.values())):
            server.start()
            stack.callback(server.stop)
        yield

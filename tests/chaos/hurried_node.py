"""A node that the campaign starts again and again: as the product, but in a hurry and on a clock that jumps.

Run as `python -m tests.chaos.hurried_node FOLDER`: it reads everything once, and for each line on its
standard input it is a daemon anew, by fork, and says its process's number; so a start takes a tenth of the
time. Leases, delays and circuits last for seconds where the product's last for minutes. Everything else is
the product's own.
"""

import ctypes
import mmap
import os
import signal
import struct
import sys
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa

from sidecar import daemon, host, loops
from sidecar.journal import configure_logging, hear_libraries
from sidecar.services import dispatch, hands
from sidecar.services.circuit import Pauses
from sidecar.storage import claims

__all__ = ["CLOCK", "SECONDS"]

CLOCK = "clock"  # the file that says by how many seconds the clock is wrong
SECONDS = struct.Struct("d")  # how they stand there
LEASE = timedelta(seconds=1)
FIRST, LONGEST = timedelta(seconds=0.1), timedelta(seconds=0.8)  # until an action is tried again, and a wiki
IDLE = 0.2  # seconds between looks at the outbox
LATER = (
    "sidecar.edges.http_door",
    "sidecar.edges.https_fetch",
    "sidecar.edges.sitematrix_look",
    "wiki_adapter.mwclient_wiki",
)
PR_SET_PDEATHSIG = 1  # prctl(2)


def hurry() -> None:
    """From now on, in this process."""
    claims.LEASE, claims.ASTRAY, claims.FARTHEST = LEASE, LEASE, 2 * LEASE
    claims.LONGEST_WAIT = 2 * LONGEST
    hands.EVERY = LEASE.total_seconds() / 3
    dispatch.FIRST_DELAY, dispatch.LONGEST_DELAY, dispatch.IDLE = FIRST, LONGEST, IDLE


def serve(folder: Path) -> None:
    """As `bounce-sidecar run` does."""
    config = host.load_config(folder / "config.toml")
    configure_logging(config.log_level, config.log_format, config.node.name)
    hear_libraries()
    with (folder / CLOCK).open("rb") as file:  # never again: the node may be unable to open anything
        wrong_by = mmap.mmap(file.fileno(), SECONDS.size, prot=mmap.PROT_READ)

    def clock() -> datetime:
        return host.now() + timedelta(seconds=SECONDS.unpack(wrong_by)[0])

    world = daemon.World(
        clock=clock,
        pauses=Pauses(FIRST, LONGEST, LONGEST),
        reread=lambda: host.load_config(folder / "config.toml"),
    )
    loops.run(daemon.run(config, world=world))


def read_everything(folder: Path) -> None:
    """What the product reads when it is first needed, too."""
    for name in LATER:
        import_module(name)
    sa.create_engine(host.load_config(folder / "config.toml").storage_url)  # reads the database's library


def main(folder: Path) -> None:
    read_everything(folder)
    hurry()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ends is gone
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(folder)
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

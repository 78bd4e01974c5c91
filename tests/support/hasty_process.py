"""The sidecar as a process of its own that looks every second where the product looks every fifteen.

Run as `python -m tests.support.hasty_process FOLDER`. Everything else is the product's own: clock,
configuration, sockets, database, mwclient and the kernel's word on its clock.
"""

import sys
from pathlib import Path

from sidecar import daemon, host, loops
from sidecar.journal import configure_logging, hear_libraries
from sidecar.services import gauges, pulse

EVERY = 1.0  # seconds, instead of 15: the gauges, and the signs of life


def main(folder: Path) -> None:
    gauges.EVERY = pulse.EVERY = EVERY
    config = host.load_config(folder / "config.toml")
    configure_logging(config.log_level, config.log_format, config.node.name)
    hear_libraries()
    world = daemon.World(reread=lambda: host.load_config(folder / "config.toml"))
    loops.run(daemon.run(config, world=world))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

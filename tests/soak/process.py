"""The daemon as a process of its own whose clock jumps six hours ahead every few seconds.

Run as ``python -m tests.soak.process FOLDER``. What the product does every hour or every fifteen seconds of
the loop's time is done once a jump; everything else is the product's own, its configuration, doors, database,
adapters and commands. What only the inside knows (tasks, blocks of memory) is written down for who watches.
"""

import asyncio
import contextlib
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

from sidecar import daemon
from sidecar.config_reader import Reading
from sidecar.journal import configure_logging, hear_libraries
from sidecar.services import canary, gauges, letters, pulse, refusals, rollup, upkeep
from sidecar.storage import tallies
from tests.soak.times import STEP, JumpingClock

SUMS = timedelta(days=20)  # instead of 400, so that within minutes as much is dropped as comes


async def _tell(folder: Path) -> None:
    """Tasks, and blocks that Python's allocator has given out, once a second."""
    while True:
        # Not gc.get_objects(): who holds a tuple that another thread is making breaks that thread's work.
        told = {"tasks": len(asyncio.all_tasks()), "blocks": sys.getallocatedblocks()}
        (folder / "inside.new").write_text(json.dumps(told))
        (folder / "inside.new").rename(folder / "inside")
        await asyncio.sleep(1)


async def _serve(folder: Path) -> None:
    config = Reading.begin(folder / "config.toml").wait()
    configure_logging(config.log_level, config.log_format, config.node.name)
    hear_libraries()
    start, began = json.loads((folder / "start").read_text())
    clock = JumpingClock(datetime.fromisoformat(start), began)
    world = daemon.World(clock=clock, reread=lambda: Reading.begin(folder / "config.toml").wait())
    telling = asyncio.create_task(_tell(folder))
    await daemon.run(config, world=world)
    telling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await telling


def main(folder: Path) -> None:
    gauges.EVERY = pulse.EVERY = canary.LOOK = letters.EVERY = rollup.EVERY = upkeep.EVERY = STEP
    refusals.LAP = STEP
    upkeep.SUMS = tallies.LOOKED_AT = SUMS
    asyncio.run(_serve(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

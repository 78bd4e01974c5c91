"""What a process of its own does and ends with: large libraries leave with it.

Knows how one is started as this one was. Does not know what it does.
"""

import sys

__all__ = ["command_for"]

PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from {module} import main; main(sys.argv[1])"


def command_for(module: str, argument: str) -> list[str]:
    """Calls *module*'s ``main`` with *argument*; finds modules where this process finds them."""
    alone = ["-I"] if sys.flags.isolated else []
    return [sys.executable, *alone, "-c", PROGRAM.format(module=module), argument, *sys.path]

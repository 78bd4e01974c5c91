"""systemd's units, obeyed where no systemd runs.

Knows those settings that say who runs what, in which folders, with which mask. Does not confine: what a unit
forbids is not forbidden here.
"""

import shlex
from collections import defaultdict

from tests.support.debian_host import DebianHost, Started

__all__ = ["start"]


def start(host: DebianHost, text: str, instance: str = "-") -> Started | None:
    """Start the unit that *text* is; None if what it starts goes to the background by itself."""
    unit = _read(text.replace("%i", instance))
    user, groups = " ".join(unit["User"]), " ".join(unit["SupplementaryGroups"]).split()
    owner = ["-o", user, "-g", user] if user else []
    for kind, place in (("Runtime", "/run"), ("State", "/var/lib")):
        for name in unit[f"{kind}Directory"]:
            mode = unit[f"{kind}DirectoryMode"] or ["0755"]
            host.run("install", "-d", *owner, "-m", mode[-1], f"{place}/{name}")
    mask = (unit["UMask"] or ["0022"])[-1]
    for command in unit["ExecStartPre"]:
        host.run(*_masked(mask, command), user=user, groups=groups)
    (command,) = unit["ExecStart"]
    if unit["Type"] == ["forking"]:
        host.run(*_masked(mask, command), user=user, groups=groups)
        return None
    return host.start(*_masked(mask, command), user=user, groups=groups)


def _masked(mask: str, command: str) -> list[str]:
    return ["sh", "-c", f'umask {mask}; exec "$@"', "unit", *shlex.split(command)]


def _read(text: str) -> defaultdict[str, list[str]]:
    settings = defaultdict[str, list[str]](list)
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            settings[name].append(value)
    return settings

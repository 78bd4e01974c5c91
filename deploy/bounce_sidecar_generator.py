#!/usr/bin/python3 -IS
"""A generator of systemd's (systemd.generator(7)): socket units made of [sockets] in the configuration.

So path and group of a socket are said once, and systemd opens the sockets before the daemon has started and
keeps them while it restarts. Runs at each start of the machine and at each `systemctl daemon-reload`, so it
imports nothing of ours and reads no secret. Without a configuration, or with one that is no TOML, there are
no units. It does not check: what is wrong with a setting, `bounce-sidecar check-config` says.
"""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

CONFIG = Path("/etc/bounce-sidecar/config.toml")
SERVICE = "bounce-sidecar.service"
FOLDER = "/run/bounce-sidecar"

WIKIS, MTAS = ("directory",), ("mta_directory", "directory")

#: door -> what it is for, which role opens it, and the settings that say where it is and who may connect
DOORS = {
    "verp": ("the wiki asks for return paths", "issue", WIKIS, "verp_group"),
    "lmtp": ("the mail server delivers bounces to", "take", MTAS, "mta_group"),
    "policy": ("the mail server asks at RCPT", "take", MTAS, "mta_group"),
    "socketmap": ("the mail server looks recipients up in", "take", MTAS, "mta_group"),
}

#: The folder is the service's: were it root's, its start would give it away with all that is in it, and the
#: sockets would lose their group (RuntimeDirectory=).
UNIT = """\
# Made of [sockets] in {config}; change it there, then `systemctl daemon-reload`.
[Unit]
Description=Socket of bounce-sidecar that {purpose}
Documentation=man:bounce-sidecar(1)
SourcePath={config}

[Socket]
ExecStartPre=/usr/bin/install -d -o bounce-sidecar -g bounce-sidecar -m 0755 {folder}
ListenStream={path}
SocketUser=bounce-sidecar
{group}SocketMode=0660
DirectoryMode=0755
FileDescriptorName={door}
Service={service}
RemoveOnStop=yes
"""


def units(text: str) -> Iterator[tuple[str, str]]:
    """Name and content of each unit. Raises ValueError for what cannot stand in a unit, or is no TOML."""
    settings = tomllib.loads(text)
    sockets, roles = settings.get("sockets", {}), settings.get("node", {}).get("roles", ["issue", "take"])
    for door, (purpose, role, folders, group) in DOORS.items():
        if role in roles and (path := place(door, folders, sockets)):
            owner = f"SocketGroup={word(sockets[group])}\n" if sockets.get(group) else ""
            yield (
                f"bounce-sidecar-{door}.socket",
                UNIT.format(
                    config=CONFIG,
                    purpose=purpose,
                    folder=FOLDER,
                    path=path,
                    group=owner,
                    door=door,
                    service=SERVICE,
                ),
            )


def place(door: str, folders: tuple[str, ...], sockets: Mapping[str, Any]) -> str:
    """The socket's path, as the daemon would open it; empty for a door that is not wanted."""
    name = word(sockets.get(door, "" if door == "socketmap" else f"{door}.sock"))
    folder = next((word(sockets[one]) for one in folders if sockets.get(one)), FOLDER)
    return str(PurePosixPath(folder) / name) if name else ""


def word(value: object) -> str:
    """What may stand in a unit's line: "%" begins a specifier there. Raises ValueError."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"[sockets]: {value!r} cannot stand in a unit")
    return value.replace("%", "%%")


def main() -> None:
    try:
        made = dict(units(CONFIG.read_text("utf-8")))
    except FileNotFoundError:
        return
    except (AttributeError, OSError, RecursionError, TypeError, ValueError) as error:
        sys.exit(f"bounce-sidecar: no sockets are opened by systemd: {CONFIG}: {error}")
    folder = Path(sys.argv[1])
    wants = folder / f"{SERVICE}.wants"
    wants.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (folder / name).write_text(text)
        (wants / name).symlink_to(f"../{name}")


if __name__ == "__main__":
    main()

"""Writes fixtures/bounces afresh, or compares: `python -m tests.capture [--check] [server ...]`, as root.

Knows the order: fetch while there is a network, then move into a network of our own, from which nothing can
leave. Does not know any mail server.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.capture.compare import differences
from tests.capture.record import record
from tests.capture.servers import SERVERS

KEPT = Path(__file__).parents[2] / "fixtures" / "bounces"
INSIDE = "--inside"  # says that the network is already our own

RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"


def main() -> int:
    wanted = _arguments()
    names = wanted.server or list(SERVERS)
    if not wanted.inside:
        for name in names:
            SERVERS[name].install()
        command = [sys.executable, "-m", "tests.capture", INSIDE, *sys.argv[1:]]
        os.execvp("unshare", ["unshare", "-mn", "--", *command])
    folder = Path(tempfile.mkdtemp(prefix="mta-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        _ask_our_name_server(folder / "resolv.conf")
        differ = [line for name in names for line in _capture(name, folder, wanted)]
    finally:
        shutil.rmtree(folder)
    print("\n".join(differ) or "Nothing differs.")
    return 1 if differ and wanted.check else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.capture", description=__doc__.splitlines()[0])
    parser.add_argument("server", nargs="*", choices=[*SERVERS, []], help="all of them, if none is named")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything differs")
    parser.add_argument(
        "--kept", type=Path, default=KEPT, help="where they are kept, a folder for each server"
    )
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    if os.getuid() != 0:
        parser.error("only root can start mail servers")
    return parser.parse_args()


def _ask_our_name_server(file: Path) -> None:
    """In this process's own mount namespace, for the servers that are not in a Debian of their own."""
    file.write_text(RESOLVER)
    subprocess.run(["mount", "--bind", str(file), "/etc/resolv.conf"], check=True)


def _capture(name: str, folder: Path, wanted: argparse.Namespace) -> list[str]:
    """Capture one server; what differs from what was kept."""
    kept = wanted.kept / name
    fresh = folder / "fresh" / name
    fresh.mkdir(parents=True)
    with SERVERS[name].running(folder) as server:
        record(name, server, fresh)
    print(f"{name}: {len(list(fresh.glob('*.eml')))} mails", flush=True)
    differ = differences(kept, fresh)
    if not wanted.check:
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(fresh, kept)
    return differ


if __name__ == "__main__":
    sys.exit(main())

"""Our LMTP listener with a handler that does nothing: python -m tests.bench.nothing SOCKET."""

import asyncio
import sys
from pathlib import Path

from sidecar import loops
from sidecar.edges.lmtp_server import LmtpServer
from sidecar.services.receipt import Receipt, Received


class Nothing:
    """Takes whatever comes, and forgets it."""

    def refusal(self, address: str, *, tell: bool = True) -> Receipt | None:
        return None

    async def take(self, received: Received) -> Receipt:
        return Receipt.TAKEN


async def _serve(path: Path) -> None:
    await LmtpServer(Nothing()).listen_unix(path, mode=0o666)
    await asyncio.Event().wait()


if __name__ == "__main__":
    loops.run(_serve(Path(sys.argv[1])))

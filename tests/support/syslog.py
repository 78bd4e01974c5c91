"""The socket that C programs' syslog() writes to, for servers that write nowhere else.

Knows datagrams. Does not know who says what.
"""

import re
import socket
import threading
from pathlib import Path

__all__ = ["Syslog"]


class Syslog:
    """Listens when made."""

    def __init__(self, path: Path) -> None:
        self._lines: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o666)
        threading.Thread(target=self._listen, name="syslog", daemon=True).start()

    def text(self) -> str:
        return "\n".join(self._lines)

    def close(self) -> None:
        """Repeatable."""
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                line = self._socket.recv(2**16)
            except OSError:
                return
            # RFC 3164 section 4.1.1: <facility and severity>
            self._lines.append(re.sub(r"^<\d+>", "", line.decode(errors="replace").strip("\0\n")))

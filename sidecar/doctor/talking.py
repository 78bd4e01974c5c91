"""A few words with the daemon at its own doors: nothing is signed, booked or refused by them.

Knows what each door says to a question that changes nothing. Every question ends within seconds.
"""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import PurePath

from sidecar.edges import replies
from sidecar.edges.replies import REPLIES
from sidecar.edges.socketmap import netstring
from sidecar.services.receipt import Receipt

__all__ = ["Said", "Where", "lmtp", "lookup", "policy"]

PATIENCE = 5.0  # seconds for a whole answer; Postfix waits 3 for the policy service
LONGEST = 4096  # octets of an answer

Where = PurePath | tuple[str, int]
Said = str  #: what is wrong with the answer; "" for the one that was expected


def lookup(where: Where) -> Said:
    """A lookup that is not offered: no return path is signed, and nobody is noted as written to."""
    expected = netstring(replies.UNKNOWN_LOOKUP)
    answer = _exchange(where, netstring("doctor are you there"), lambda got: len(got) >= len(expected))
    return "" if answer == expected else _odd(answer)


def policy(where: Where, return_path: str) -> Said:
    """Whether a return path that *we* signed is known to the daemon: the same keys, the same wikis."""
    asked = f"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={return_path}\n\n"
    answer = _exchange(where, asked.encode(), lambda got: got.endswith(b"\n\n"))
    return "" if answer == f"action={REPLIES[Receipt.TAKEN].policy}\n\n".encode() else _odd(answer)


def lmtp(where: Where, *, patience: float = PATIENCE) -> Said:
    """Its greeting; we take leave at once."""
    answer = _exchange(where, b"", lambda got: got.endswith(b"\n"), b"QUIT\r\n", patience)
    return "" if answer.startswith(b"220 ") else _odd(answer)


def _exchange(
    where: Where,
    words: bytes,
    whole: Callable[[bytes], bool],
    farewell: bytes = b"",
    patience: float = PATIENCE,
) -> bytes:
    """What is answered, as far as it came in time."""
    got, end = b"", time.monotonic() + patience
    with suppress(OSError), _connected(where, patience) as line:
        line.sendall(words)
        while not whole(got) and len(got) < LONGEST and (left := end - time.monotonic()) > 0:
            line.settimeout(left)
            if not (more := line.recv(LONGEST)):
                break
            got += more
        line.sendall(farewell)
    return got


def _connected(where: Where, patience: float) -> socket.socket:
    if isinstance(where, tuple):
        return socket.create_connection(where, patience)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(patience)
    try:
        line.connect(str(where))
    except OSError:
        line.close()
        raise
    return line


def _odd(answer: bytes) -> Said:
    said = answer.decode("utf-8", "replace").strip()
    return said or f"no answer within {PATIENCE:g} s"

"""A client of the VERP socket in a process of its own, which goes on while this one stands still."""

import subprocess
import sys
from pathlib import Path

from tests.support.practice import ADDRESS, WIKI

__all__ = ["ASK", "asking", "last_answer"]

PATIENCE = 60.0  # seconds
ASK = f"verp {WIKI} 7 {ADDRESS}"

#: Asks a hundred times, each answered, and prints the last answer.
CLIENT = """\
import socket, sys
path, question = sys.argv[1], sys.argv[2].encode()
with socket.socket(socket.AF_UNIX) as peer:
    peer.settimeout(30)
    peer.connect(path)
    for _ in range(100):
        peer.sendall(b"%d:%b," % (len(question), question))
        answer = peer.recv(1000)
print(answer.decode().partition(":")[2])
"""


def asking(path: Path) -> "subprocess.Popen[str]":
    """It asks a hundred times, each answered, and prints the last answer."""
    return subprocess.Popen([sys.executable, "-c", CLIENT, str(path), ASK], stdout=subprocess.PIPE, text=True)


def last_answer(path: Path) -> str:
    """The last of a hundred answers; blocks."""
    with asking(path) as client:
        answer, _ = client.communicate(timeout=PATIENCE)
    assert client.returncode == 0
    return answer

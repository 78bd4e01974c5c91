"""What a database leaves on the disk, read as somebody would who has stolen it.

Knows that mail is kept packed (zlib). Does not know tables.
"""

import re
import zlib
from pathlib import Path

__all__ = ["addresses", "on_disk"]

LONGEST = 2**20  # octets that are unpacked at one place

_ADDRESS = re.compile(rb"[\w.+=-]+@[\w-]+(?:\.[\w-]+)+")


def on_disk(folder: Path, *, unpacked: bool = True) -> bytes:
    """The history's file with all that lies beside it, and whatever can be unpacked at any place in it."""
    whole = b"".join(path.read_bytes() for path in sorted(folder.glob("history.db*")))
    found = [whole]
    for start in re.finditer(b"\x78[\x01\x5e\x9c\xda]", whole) if unpacked else ():
        try:
            found.append(zlib.decompressobj().decompress(whole[start.start() :], LONGEST))
        except zlib.error:
            continue
    return b"".join(found)


def addresses(text: bytes, but: str) -> set[bytes]:
    """The mail addresses in *text*, except those of the domain of the return paths."""
    others = text.replace(f"@{but}".encode(), b" ")  # columns follow each other without a mark
    return {match.group() for match in _ADDRESS.finditer(others)}
